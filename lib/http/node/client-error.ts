// What http.Server's 'clientError' is given.
import type { HttpError } from '../http-errors.js';

/** The codes that handlers of 'clientError' look for, by the status that we would answer with. */
const CODES: Readonly<Record<number, string>> = {
  408: 'ERR_HTTP_REQUEST_TIMEOUT',
  414: 'HPE_HEADER_OVERFLOW',
  431: 'HPE_HEADER_OVERFLOW',
};

/** An error with Node's code, where Node has one for it, and with the status to answer with. */
export function clientErrorOf(refusal: HttpError): Error {
  const { status, message } = refusal;
  const code = CODES[status] ?? refusal.code;
  return Object.assign(new Error(message, { cause: refusal }), { code, status });
}
