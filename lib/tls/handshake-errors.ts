import { MillraceError, TimeoutError } from '../internal/errors.js';

/** The handshake took longer than `handshakeTimeout`. */
export class HandshakeTimeoutError extends TimeoutError {
  constructor(limitMs: number) {
    super(`The TLS handshake has not ended within ${limitMs} ms`);
    this.name = 'HandshakeTimeoutError';
  }
}

/**
 * The connection was ended without TLS's own end (close_notify): whether the peer did that, or somebody in between who
 * wants the rest not to arrive, nobody can tell (RFC 8446, 6.1).
 */
export class TruncatedError extends MillraceError {
  constructor() {
    super('ERR_MILLRACE_TLS_TRUNCATED', 'The connection was ended without close_notify: what came may not be all');
    this.name = 'TruncatedError';
  }
}
