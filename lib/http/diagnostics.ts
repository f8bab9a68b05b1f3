// What observers are told by node:diagnostics_channel. Nothing is made for a channel that nobody listens to.
import { channel } from 'node:diagnostics_channel';
import type { HttpRequest } from './request.js';

/** `{ request }`: the head has come, and its handler is called next. */
export const requestStart = channel('millrace:http:request:start');
/** `{ request, status, durationMs }`: the reply was handed to the socket; status 0: the peer had gone before. */
export const requestEnd = channel('millrace:http:request:end');
/** `{ request, error }`: a handler has failed. */
export const requestError = channel('millrace:http:request:error');

/** A handler's failure that nobody has asked to be told of. */
export function tellError(error: unknown, request: HttpRequest): void {
  if (requestError.hasSubscribers) {
    requestError.publish({ request, error });
    return;
  }
  const shown = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`A handler failed: ${shown}`, { type: 'HttpHandlerWarning', code: 'MILLRACE_HTTP_HANDLER' });
}
