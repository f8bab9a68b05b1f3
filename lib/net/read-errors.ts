import { MillraceError } from '../internal/errors.js';

/** The peer ended before all had come that was asked for. What came can still be read. */
export class UnexpectedEndError extends MillraceError {
  /** Bytes that came and that nobody has read. */
  readonly received: number;

  constructor(received: number, wanted: string) {
    super('ERR_MILLRACE_UNEXPECTED_END', `The end came after ${received} bytes; ${wanted}`);
    this.name = 'UnexpectedEndError';
    this.received = received;
  }
}

/** `readUntil` found no delimiter within its limit. What came can still be read. */
export class ReadLimitError extends MillraceError {
  /** In bytes. */
  readonly limit: number;

  constructor(limit: number) {
    super('ERR_MILLRACE_READ_LIMIT', `The first ${limit} bytes hold no delimiter`);
    this.name = 'ReadLimitError';
    this.limit = limit;
  }
}
