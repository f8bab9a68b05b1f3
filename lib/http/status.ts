// Status codes (RFC 9110, 15, and the IANA registry): their phrases, their status lines, and which of them have no body.
import { checkInteger } from '../internal/errors.js';

const PHRASES: Readonly<Record<number, string>> = {
  100: 'Continue',
  101: 'Switching Protocols',
  102: 'Processing',
  103: 'Early Hints',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  203: 'Non-Authoritative Information',
  204: 'No Content',
  205: 'Reset Content',
  206: 'Partial Content',
  207: 'Multi-Status',
  208: 'Already Reported',
  226: 'IM Used',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  305: 'Use Proxy',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  423: 'Locked',
  424: 'Failed Dependency',
  425: 'Too Early',
  426: 'Upgrade Required',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  451: 'Unavailable For Legal Reasons',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  506: 'Variant Also Negotiates',
  507: 'Insufficient Storage',
  508: 'Loop Detected',
  511: 'Network Authentication Required',
};

/** Status lines by status: made when first asked for, at most 500. */
const lines: string[] = new Array<string>(600).fill('');

/** The reason phrase of `status`; '' for one that has none registered. */
export function reasonPhrase(status: number): string {
  return PHRASES[status] ?? '';
}

/** `HTTP/1.1 200 OK\r\n`. @param status an integer from 100 to 599. */
export function statusLine(status: number): string {
  const line = lines[status];
  if (line !== '' && line !== undefined) return line;
  const made = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`;
  if (line === '') lines[status] = made;
  return made;
}

/** True for 1xx, 204 and 304, which never have a body nor say how long it is (RFC 9112, 6.3). */
export function hasNoBody(status: number): boolean {
  return status === 204 || status === 304 || status < 200;
}

/**
 * Checks the status of a final reply: an integer from 200 to 599.
 * @throws TypeError (`ERR_INVALID_ARG_TYPE`), RangeError (`ERR_OUT_OF_RANGE`) naming `name`.
 */
export function checkStatus(value: unknown, name: string): asserts value is number {
  checkInteger(value, name, 200, 599);
}
