import { STATUS_CODES } from 'node:http';
import { describe, expect, test } from 'vitest';
import { HttpError } from '../../lib/http/http-errors.js';
import { checkStatus, hasNoBody, reasonPhrase, statusLine } from '../../lib/http/status.js';
import { MillraceError } from '../../lib/internal/errors.js';

/** Node still has the names of older RFCs for these; RFC 9110 renamed or dropped them. */
const RENAMED = new Set(['103', '305', '413', '418', '422', '425', '509', '510']);

describe('status codes', () => {
  test('have the phrases of the registry, which are those of Node but for the renamed', () => {
    for (const [status, phrase] of Object.entries(STATUS_CODES)) {
      if (!RENAMED.has(status)) expect(reasonPhrase(Number(status)), status).toBe(phrase);
    }
    expect(reasonPhrase(413)).toBe('Content Too Large');
    expect(reasonPhrase(422)).toBe('Unprocessable Content');
  });

  test('make a status line, also where there is no phrase: the space stays (RFC 9112, 4)', () => {
    expect(statusLine(200)).toBe('HTTP/1.1 200 OK\r\n');
    expect(statusLine(200)).toBe('HTTP/1.1 200 OK\r\n');
    expect(statusLine(299)).toBe('HTTP/1.1 299 \r\n');
  });

  test('without a body are 1xx, 204 and 304', () => {
    expect([100, 101, 103, 199, 204, 304].every(hasNoBody)).toBe(true);
    expect([200, 205, 206, 301, 404, 416, 500].some(hasNoBody)).toBe(false);
  });

  test('of a reply are integers from 200 to 599', () => {
    expect(() => checkStatus(200, 'status')).not.toThrow();
    for (const wrong of [100, 199, 600, 200.5, Number.NaN])
      expect(() => checkStatus(wrong, 'status')).toThrow(RangeError);
    expect(() => checkStatus('200', 'status')).toThrow('status must be a number; got "200"');
  });
});

describe('HttpError', () => {
  test('is a MillraceError whose message the peer may read when the fault is its own', () => {
    const error = new HttpError(404, 'No such user');
    expect(error).toBeInstanceOf(MillraceError);
    expect(error).toMatchObject({ name: 'HttpError', status: 404, expose: true, code: 'ERR_MILLRACE_HTTP' });
    expect(error.publicMessage).toBe('No such user');
  });

  test('hides the message of 5xx, and shows it when told so', () => {
    const cause = new Error('the database is down');
    const error = new HttpError(503, 'db1.internal is down', { cause, headers: { 'retry-after': '5' } });
    expect(error.publicMessage).toBe('Service Unavailable');
    expect(error.cause).toBe(cause);
    expect(error.headers).toEqual({ 'retry-after': '5' });
    expect(new HttpError(503, 'Back at noon', { expose: true }).publicMessage).toBe('Back at noon');
  });

  test('has the phrase for a message where it is given none', () => {
    expect(new HttpError(409).message).toBe('Conflict');
    expect(new HttpError(499).message).toBe('Status 499');
  });

  test('refuses a status that is no failure', () => {
    expect(() => new HttpError(200)).toThrow('status must be an integer from 400 to 599; got 200');
    expect(() => new HttpError(600)).toThrow(RangeError);
  });
});
