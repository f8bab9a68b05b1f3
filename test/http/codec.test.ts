// What the codec makes of requests, and how it is called. The refusals by name are in codec-refusals.test.ts.
import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { fieldNumber, methodNumber, openCodec } from '../../lib/http/codec.js';
import { HTTP_FIELD_NAME_NAMES, HTTP_METHOD_NAMES, HTTP_STOP_REQUESTS } from '../../lib/internal/http-layout.js';
import { decode, LIMITS } from './codec-events.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('a request', () => {
  test('gives its method, target, path, authority and fields', () => {
    const { requests, error } = decode([
      'GET /users/7?full=1 HTTP/1.1\r\nHost: example.com:8080\r\nX-Own:\t two words \r\nACCEPT: */*\r\nEmpty:\r\n\r\n',
    ]);
    expect(error).toBeNull();
    expect(requests).toEqual([
      {
        head: {
          method: 'GET',
          methodName: 'GET',
          target: '/users/7?full=1',
          path: '/users/7',
          authority: 'example.com:8080',
          flags: ['keepAlive', 'hasQuery'],
          fields: [
            { name: 'Host', value: 'example.com:8080', known: 'host' },
            { name: 'X-Own', value: 'two words', known: 'other' },
            { name: 'ACCEPT', value: '*/*', known: 'accept' },
            { name: 'Empty', value: '', known: 'other' },
          ],
          contentLength: 0,
          host: 'example.com:8080',
          route: -1,
        },
        body: '',
        pieces: 0,
        trailers: [],
      },
    ]);
  });

  test('with a length gives its body, and what follows is the next request', () => {
    const { requests } = decode([`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello${GET}`]);
    expect(requests.map(({ body, head }) => [head.method, body, head.contentLength])).toEqual([
      ['POST', 'hello', 5],
      ['GET', '', 0],
    ]);
  });

  test('in chunks gives its body without the framing, and its trailers', () => {
    const { requests, error } = decode([
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n' +
        '5;name="a b";x\r\nhello\r\nA ; y = z\r\n0123456789\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n',
    ]);
    expect(error).toBeNull();
    expect(requests[0]).toMatchObject({
      body: 'hello0123456789',
      pieces: 2,
      trailers: [{ name: 'X-Sum', value: '1', known: 'other' }],
    });
    expect(requests[0]?.head.flags).toEqual(['keepAlive', 'chunked', 'hasBody']);
  });

  test('may come byte by byte', () => {
    const bytes =
      `\r\nPOST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n` +
      `5\r\nhello\r\n0\r\nA: b\r\n\r\n`;
    const { requests, error } = decode([...bytes]);
    expect(error).toBeNull();
    expect(requests[0]).toMatchObject({ body: 'hello', pieces: 5, trailers: [{ name: 'A', value: 'b' }] });
    expect(requests[0]?.head.path).toBe('/a');
  });

  test('asks for more with its fields', () => {
    const flagsOf = (line: string, ...fields: string[]) =>
      decode([`${line}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`]).requests[0]?.head.flags.join();
    expect(flagsOf('GET / HTTP/1.1', 'Host: a', 'Connection: x, CLOSE')).toBe('');
    expect(flagsOf('GET / HTTP/1.0')).toBe('http10');
    expect(flagsOf('GET / HTTP/1.0', 'Connection: foo', 'Connection: ,Keep-Alive')).toBe('http10,keepAlive');
    expect(flagsOf('GET / HTTP/1.0', 'Connection: keep-alive, close')).toBe('http10');
    expect(flagsOf('PUT / HTTP/1.1', 'Host: a', 'Content-Length: 1', 'Expect: 100-Continue')).toBe(
      'keepAlive,hasLength,expectContinue,hasBody',
    );
    expect(flagsOf('PUT / HTTP/1.1', 'Host: a', 'Expect: 100-continue, more')).toBe(
      'keepAlive,expectContinue,expectOther',
    );
    expect(flagsOf('PUT / HTTP/1.0', 'Expect: 100-continue')).toBe('http10');
    expect(flagsOf('GET / HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket')).toBe('keepAlive,upgrade');
    expect(flagsOf('GET / HTTP/1.1', 'Host: a', 'Upgrade: websocket')).toBe('keepAlive');
    expect(flagsOf('GET http://b/x%20y?z HTTP/1.1', 'Host: a')).toBe('keepAlive,absoluteForm,percentInPath,hasQuery');
    expect(flagsOf('OPTIONS * HTTP/1.1', 'Host: a')).toBe('keepAlive,asteriskForm');
    expect(flagsOf('CONNECT a:443 HTTP/1.1', 'Host: a')).toBe('keepAlive,authorityForm');
    expect(flagsOf('GET /a/../b HTTP/1.1', 'Host: a')).toBe('keepAlive,dotInPath');
    expect(flagsOf('GET /a.b/c.?/.. HTTP/1.1', 'Host: a')).toBe('keepAlive,hasQuery');
  });

  test('in absolute form has the authority of its target', () => {
    const head = decode(['GET HTTPS://b:1?q HTTP/1.1\r\nHost: a\r\n\r\n']).requests[0]?.head;
    expect(head).toMatchObject({ authority: 'b:1', path: '', host: 'a' });
  });
});

test('every known field name has its number, in any case', () => {
  for (const name of HTTP_FIELD_NAME_NAMES.slice(1)) {
    const value = name === 'host' ? 'a' : name === 'content-length' ? '0' : name === 'transfer-encoding' ? '' : 'x';
    if (value === '') continue;
    const fields = name === 'host' ? '' : 'host: a\r\n';
    const [request] = decode([`GET / HTTP/1.1\r\n${fields}${name.toUpperCase()}: ${value}\r\n\r\n`]).requests;
    expect(request?.head.fields.at(-1)?.known).toBe(name);
    const other = decode([`GET / HTTP/1.1\r\nhost: a\r\n${name}x: ${value}\r\nx${name}: ${value}\r\n\r\n`]);
    expect(other.requests[0]?.head.fields.slice(1).map(({ known }) => known)).toEqual(['other', 'other']);
  }
  expect(fieldNumber('transfer-encoding')).toBe(HTTP_FIELD_NAME_NAMES.indexOf('transfer-encoding'));
  expect(fieldNumber('nonsense')).toBe(0);
});

test('every method with a number is known by it, and no other is', () => {
  for (const method of HTTP_METHOD_NAMES.slice(1)) {
    const target = method === 'CONNECT' ? 'a:1' : '/';
    expect(decode([`${method} ${target} HTTP/1.1\r\nHost: a\r\n\r\n`]).requests[0]?.head).toMatchObject({
      method,
      methodName: method,
    });
    expect(methodNumber(method)).toBe(HTTP_METHOD_NAMES.indexOf(method));
  }
  for (const method of ['get', 'GETT', 'PURGE', 'M-SEARCH', "!#$%&'*+-.^_`|~0aZ"]) {
    expect(decode([`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`]).requests[0]?.head).toMatchObject({
      method,
      methodName: '',
    });
    expect(methodNumber(method)).toBe(0);
  }
});

describe('a call', () => {
  test('stops before the head that is one too many', () => {
    const codec = openCodec();
    const server = codec.server(LIMITS);
    const connection = codec.attach(server);
    const input = Buffer.from(GET.repeat(3));
    expect(codec.parse(connection, input, 0, input.length, 2)).toBe(4);
    expect([codec.consumed, codec.stop]).toEqual([GET.length * 2, HTTP_STOP_REQUESTS]);
    expect(codec.parse(connection, input, codec.consumed, GET.length, 0)).toBe(0);
    expect([codec.consumed, codec.stop]).toEqual([0, HTTP_STOP_REQUESTS]);
    codec.detach(connection);
    codec.dropServer(server);
  });

  test('with a handle that is stale is refused', () => {
    const codec = openCodec();
    const server = codec.server(LIMITS);
    const connection = codec.attach(server);
    codec.dropServer(server);
    const gone = expect.objectContaining({ code: 'ERR_MILLRACE_INVALID_STATE' });
    expect(() => codec.attach(server)).toThrow(gone);
    expect(() => codec.dropServer(server)).toThrow(gone);
    expect(codec.parse(connection, Buffer.from(GET), 0, GET.length, 1)).toBe(2);
    codec.detach(connection);
    expect(() => codec.detach(connection)).toThrow(gone);
    expect(() => codec.skipBody(connection)).toThrow(gone);
    expect(() => codec.parse(connection, Buffer.from(GET), 0, GET.length, 1)).toThrow(gone);
    expect(codec.connections).toBe(0);
  });
});
