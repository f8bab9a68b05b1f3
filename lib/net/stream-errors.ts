// Errors of the Duplex face, by the codes that Node's own sockets have.
import { constants } from 'node:os';
import { SystemError } from '../internal/errors.js';
import { systemError } from './system-error.js';

type CodedError = Error & { code: string };

export function closedError(): CodedError {
  return coded('ERR_SOCKET_CLOSED', 'Socket is closed');
}

export function closedBeforeConnection(): CodedError {
  return coded('ERR_SOCKET_CLOSED_BEFORE_CONNECTION', 'Socket closed before the connection was established');
}

/** Writing where the peer has ended its side and half-open is not allowed. */
export function endedByPeer(): CodedError {
  return coded('EPIPE', 'This socket has been ended by the other party');
}

/** Somebody has closed the socket under the stream, and so many bytes never left. */
export function lost(bytes: number): CodedError {
  return coded('ECONNRESET', `The socket was closed with ${bytes} bytes unsent`);
}

/** What a socket of ours throws when it is written to, by Node's code. */
export function writeError(error: unknown): Error {
  if (error instanceof SystemError) return error;
  if ((error as { code?: unknown }).code !== 'ERR_MILLRACE_SOCKET_CLOSED') return error as Error;
  const pipe = systemError(-constants.errno.EPIPE, 'write');
  pipe.cause = error;
  return pipe;
}

function coded(code: string, message: string): CodedError {
  const error = new Error(message) as CodedError;
  error.code = code;
  return error;
}
