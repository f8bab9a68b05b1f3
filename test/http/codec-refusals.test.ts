// What is not a request, by name: what it is answered with, and where the RFC says so. Each is refused wherever it is cut.
import { expect, test } from 'vitest';
import { decode } from './codec-events.js';

const GET = 'GET / HTTP/1.1\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\n';
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;

type Row = readonly [name: string, section: string, bytes: string, status: number, reason: string];

const REFUSED: readonly Row[] = [
  // The request line
  ['a TLS ClientHello', 'RFC 9112 3', '\x16\x03\x01\x02', 400, 'bad-method'],
  ['a SOCKS greeting', 'RFC 9112 3', '\x05\x01\x00', 400, 'bad-method'],
  ['white space before the method', 'RFC 9112 3', ' GET / HTTP/1.1\r\n', 400, 'bad-method'],
  ['two empty lines before the request', 'RFC 9112 2.2', '\r\n\r\nGET', 400, 'bad-method'],
  ['LF before the request', 'RFC 9112 2.2', '\nGET', 400, 'bad-method'],
  ['CR alone before the request', 'RFC 9112 2.2', '\rGET', 400, 'bare-cr'],
  ['two spaces behind the method', 'RFC 9112 3', 'GET  / HTTP/1.1\r\n', 400, 'bad-target'],
  ['a tab behind the method', 'RFC 9112 3', 'GET\t/ HTTP/1.1\r\n', 400, 'bad-method'],
  ['two spaces behind the target', 'RFC 9112 3', 'GET /  HTTP/1.1\r\n', 400, 'bad-version'],
  ['a tab behind the target', 'RFC 9112 3', 'GET /\tHTTP/1.1\r\n', 400, 'bad-target'],
  ['a space behind the version', 'RFC 9112 3', 'GET / HTTP/1.1 \r\n', 400, 'bad-version'],
  ['no version (HTTP/0.9)', 'RFC 9112 3', 'GET /\r\n', 400, 'bad-target'],
  ['a version in lower case', 'RFC 9112 2.3', 'GET / http/1.1\r\n', 400, 'bad-version'],
  ['a version of two digits', 'RFC 9112 2.3', 'GET / HTTP/1.10\r\n', 400, 'bad-version'],
  ['a version without a minor one', 'RFC 9112 2.3', 'GET / HTTP/1\r\n', 400, 'bad-version'],
  ['HTTP/2.0', 'RFC 9110 15.6.6', 'PRI * HTTP/2.0\r\n', 505, 'version-not-supported'],
  ['HTTP/1.2', 'RFC 9110 15.6.6', 'GET / HTTP/1.2\r\n', 505, 'version-not-supported'],
  ['HTTP/0.9 by its number', 'RFC 9110 15.6.6', 'GET / HTTP/0.9\r\n', 505, 'version-not-supported'],
  ['a bare LF behind the version', 'RFC 9112 2.2', 'GET / HTTP/1.1\n', 400, 'bare-lf'],
  ['a bare CR behind the version', 'RFC 9112 2.2', 'GET / HTTP/1.1\rX', 400, 'bare-cr'],
  ['a request line of 8,193 bytes', 'RFC 9112 3', `GET /${'a'.repeat(8188)}`, 414, 'request-line-too-long'],
  ['a method that never ends', 'RFC 9112 3', 'A'.repeat(8193), 414, 'request-line-too-long'],
  // The target
  ['a fragment', 'RFC 9112 3.2', 'GET /a#b HTTP/1.1\r\n', 400, 'bad-target'],
  ['a control character in the target', 'RFC 9112 3.2', 'GET /\x01 HTTP/1.1\r\n', 400, 'bad-target'],
  ['NUL in the target', 'RFC 9112 3.2', 'GET /\0 HTTP/1.1\r\n', 400, 'bad-target'],
  ['DEL in the target', 'RFC 9112 3.2', 'GET /\x7f HTTP/1.1\r\n', 400, 'bad-target'],
  ['UTF-8 in the target', 'RFC 9112 3.2', 'GET /\xc3\xa4 HTTP/1.1\r\n', 400, 'bad-target'],
  ['a relative path', 'RFC 9112 3.2', 'GET a HTTP/1.1\r\n', 400, 'bad-target'],
  ['a query without a path', 'RFC 9112 3.2.1', 'GET ?a HTTP/1.1\r\n', 400, 'bad-target'],
  ['asterisk-form but not OPTIONS', 'RFC 9112 3.2.4', 'GET * HTTP/1.1\r\n', 400, 'bad-target'],
  ['more than an asterisk', 'RFC 9112 3.2.4', 'OPTIONS *a HTTP/1.1\r\n', 400, 'bad-target'],
  ['authority-form but not CONNECT', 'RFC 9112 3.2.3', 'GET a:80 HTTP/1.1\r\n', 400, 'bad-target'],
  ['CONNECT without a port', 'RFC 9112 3.2.3', 'CONNECT a HTTP/1.1\r\n', 400, 'bad-authority'],
  ['CONNECT with an empty port', 'RFC 9112 3.2.3', 'CONNECT a: HTTP/1.1\r\n', 400, 'bad-authority'],
  ['CONNECT without a host', 'RFC 9112 3.2.3', 'CONNECT :80 HTTP/1.1\r\n', 400, 'bad-authority'],
  ['CONNECT of a path', 'RFC 9112 3.2.3', 'CONNECT / HTTP/1.1\r\n', 400, 'bad-authority'],
  ['another scheme', 'RFC 9112 3.2.2', 'GET ftp://a/ HTTP/1.1\r\n', 400, 'bad-target'],
  ['absolute-form without a host', 'RFC 9110 4.2.1', 'GET http:///a HTTP/1.1\r\n', 400, 'bad-authority'],
  ['absolute-form with user information', 'RFC 9110 4.2.4', 'GET http://u@a/ HTTP/1.1\r\n', 400, 'bad-authority'],
  ['absolute-form with a wrong port', 'RFC 9110 4.2', 'GET http://a:x/ HTTP/1.1\r\n', 400, 'bad-authority'],
  // Fields
  ['a space before the colon', 'RFC 9112 5.1', `${GET}Host : a\r\n`, 400, 'space-before-colon'],
  ['a tab before the colon', 'RFC 9112 5.1', `${GET}Host\t: a\r\n`, 400, 'space-before-colon'],
  ['a folded line', 'RFC 9112 5.2', `${GET}Host: a\r\n b\r\n`, 400, 'folded-line'],
  ['a line that is folded with a tab', 'RFC 9112 5.2', `${GET}Host: a\r\n\tb\r\n`, 400, 'folded-line'],
  ['white space before the first field', 'RFC 9112 2.2', `${GET} Host: a\r\n`, 400, 'folded-line'],
  ['a field without a name', 'RFC 9110 5.1', `${GET}: a\r\n`, 400, 'bad-field-name'],
  ['a field without a colon', 'RFC 9112 5', `${GET}Host\r\n`, 400, 'bad-field-name'],
  ['a parenthesis in a name', 'RFC 9110 5.1', `${GET}H(st: a\r\n`, 400, 'bad-field-name'],
  ['UTF-8 in a name', 'RFC 9110 5.1', `${GET}H\xc3\xb6st: a\r\n`, 400, 'bad-field-name'],
  ['NUL in a name', 'RFC 9110 5.1', `${GET}Ho\0st: a\r\n`, 400, 'bad-field-name'],
  ['NUL in a value', 'RFC 9110 5.5', `${GET}Host: a\0\r\n`, 400, 'bad-field-value'],
  ['a control character in a value', 'RFC 9110 5.5', `${GET}X: \x0b\r\n`, 400, 'bad-field-value'],
  ['DEL in a value', 'RFC 9110 5.5', `${GET}X: \x7f\r\n`, 400, 'bad-field-value'],
  ['a bare LF in a value', 'RFC 9112 2.2', `${GET}X: a\nY: b\r\n`, 400, 'bare-lf'],
  ['a bare CR in a value', 'RFC 9112 2.2', `${GET}X: a\rY: b\r\n`, 400, 'bare-cr'],
  ['a bare LF that ends the head', 'RFC 9112 2.2', `${GET}Host: a\r\n\n`, 400, 'bad-field-name'],
  ['a bare CR that ends the head', 'RFC 9112 2.2', `${GET}Host: a\r\n\rX`, 400, 'bare-cr'],
  ['101 fields', 'RFC 6585 5', `${GET}${'a:\r\n'.repeat(100)}b`, 431, 'too-many-fields'],
  ['a head of 16,385 bytes', 'RFC 6585 5', `${GET}X: ${'a'.repeat(16_384 - 19)}`, 431, 'head-too-large'],
  // Host
  ['no Host', 'RFC 9112 3.2', `${GET}\r\n`, 400, 'missing-host'],
  ['no Host beside an absolute-form', 'RFC 9112 3.2', 'GET http://a/ HTTP/1.1\r\n\r\n', 400, 'missing-host'],
  ['two Hosts', 'RFC 9112 3.2', `${GET}Host: a\r\nHost: b\r\n`, 400, 'several-hosts'],
  ['the same Host twice', 'RFC 9112 3.2', `${GET}Host: a\r\nhOST: a\r\n`, 400, 'several-hosts'],
  ['two Hosts in HTTP/1.0', 'RFC 9112 3.2', 'GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n', 400, 'several-hosts'],
  ['Hosts in a list', 'RFC 9110 7.2', `${GET}Host: a, b\r\n`, 400, 'bad-host'],
  ['a Host with a path', 'RFC 9110 7.2', `${GET}Host: a/b\r\n`, 400, 'bad-host'],
  ['a Host with user information', 'RFC 9110 7.2', `${GET}Host: u@a\r\n`, 400, 'bad-host'],
  ['a Host whose port is no number', 'RFC 9110 7.2', `${GET}Host: a:b\r\n`, 400, 'bad-host'],
  ['a Host whose port is too large', 'RFC 9110 7.2', `${GET}Host: a:65536\r\n`, 400, 'bad-host'],
  ['a Host of half an IPv6 address', 'RFC 3986 3.2.2', `${GET}Host: [::1\r\n`, 400, 'bad-host'],
  // The length of the body
  ['a length with a sign', 'RFC 9112 6.2', `${POST}Content-Length: +5\r\n`, 400, 'bad-content-length'],
  ['a negative length', 'RFC 9112 6.2', `${POST}Content-Length: -1\r\n`, 400, 'bad-content-length'],
  ['a hexadecimal length', 'RFC 9112 6.2', `${POST}Content-Length: 0x5\r\n`, 400, 'bad-content-length'],
  ['no length', 'RFC 9112 6.2', `${POST}Content-Length:\r\n`, 400, 'bad-content-length'],
  ['a length with a space in it', 'RFC 9112 6.2', `${POST}Content-Length: 1 0\r\n`, 400, 'bad-content-length'],
  ['lengths in a list', 'RFC 9110 8.6', `${POST}Content-Length: 5, 5\r\n`, 400, 'bad-content-length'],
  ['a length of 2^53', 'RFC 9110 8.6', `${POST}Content-Length: 9007199254740992\r\n`, 400, 'bad-content-length'],
  [
    'a length of 2^64 + 5',
    'RFC 9110 8.6',
    `${POST}Content-Length: 18446744073709551621\r\n`,
    400,
    'bad-content-length',
  ],
  [
    'two lengths that differ',
    'RFC 9112 6.3',
    `${POST}Content-Length: 5\r\nContent-Length: 6\r\n`,
    400,
    'several-content-lengths',
  ],
  [
    'the same length twice',
    'RFC 9110 8.6',
    `${POST}Content-Length: 5\r\nContent-Length: 5\r\n`,
    400,
    'several-content-lengths',
  ],
  [
    'a length and chunks (CL.TE)',
    'RFC 9112 6.1',
    `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
    400,
    'length-with-transfer-encoding',
  ],
  [
    'chunks and a length (TE.CL)',
    'RFC 9112 6.1',
    `${POST}Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n`,
    400,
    'length-with-transfer-encoding',
  ],
  ...(
    [
      ['chunked twice', 'chunked, chunked'],
      ['chunked but not last', 'chunked, gzip'],
      ['another coding alone', 'gzip'],
      ['identity', 'identity'],
      ['no coding', ''],
      ['an empty element', ', chunked'],
      ['chunked in quotes', '"chunked"'],
      ['chunked with a parameter', 'chunked;q=1'],
      ['chunked and more without a comma', 'chunked x'],
      ['a word that begins with chunked', 'chunkedx'],
      ['a word that ends with chunked', 'xchunked'],
    ] as const
  ).map(
    ([name, value]): Row => [
      `as transfer coding: ${name}`,
      'RFC 9112 6.3',
      `${POST}Transfer-Encoding: ${value}\r\n\r\n`,
      400,
      'bad-transfer-encoding',
    ],
  ),
  [
    'chunked in two lines',
    'RFC 9112 6.1',
    `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
    400,
    'bad-transfer-encoding',
  ],
  [
    'chunked, then identity in a line of its own',
    'RFC 9112 6.3',
    `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n`,
    400,
    'bad-transfer-encoding',
  ],
  [
    'a control character before chunked',
    'RFC 9110 5.5',
    `${POST}Transfer-Encoding: \x0bchunked\r\n\r\n`,
    400,
    'bad-field-value',
  ],
  [
    'a coding that we do not have, before chunked',
    'RFC 9112 6.1',
    `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n`,
    501,
    'unknown-transfer-coding',
  ],
  [
    'chunks in HTTP/1.0',
    'RFC 9112 6.1',
    'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n',
    400,
    'transfer-encoding-in-http10',
  ],
  [
    'CONNECT with a body',
    'RFC 9110 9.3.6',
    'CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n',
    400,
    'connect-with-body',
  ],
  // Chunks
  ['a chunk without a size', 'RFC 9112 7.1', `${CHUNKED}\r\n`, 400, 'bad-chunk-size'],
  ['a chunk size with a sign', 'RFC 9112 7.1', `${CHUNKED}+5\r\n`, 400, 'bad-chunk-size'],
  ['a chunk size with 0x', 'RFC 9112 7.1', `${CHUNKED}0x5\r\n`, 400, 'bad-chunk-size'],
  ['a chunk size of 2^53', 'RFC 9112 7.1', `${CHUNKED}20000000000000`, 400, 'bad-chunk-size'],
  ['a chunk size of 2^64 + 5', 'RFC 9112 7.1', `${CHUNKED}10000000000000005`, 400, 'bad-chunk-size'],
  ['a chunk size of 17 digits', 'RFC 9112 7.1', `${CHUNKED}${'0'.repeat(17)}`, 400, 'bad-chunk-size'],
  ['a space before a chunk size', 'RFC 9112 7.1', `${CHUNKED} 5\r\n`, 400, 'bad-chunk-size'],
  ['a space behind a chunk size', 'RFC 9112 7.1', `${CHUNKED}5 \r\n`, 400, 'bad-chunk-extension'],
  ['a bare LF behind a chunk size', 'RFC 9112 7.1', `${CHUNKED}5\n`, 400, 'bare-lf'],
  ['a bare CR behind a chunk size', 'RFC 9112 7.1', `${CHUNKED}5\rh`, 400, 'bare-cr'],
  ['a bare LF in a chunk extension', 'RFC 9112 7.1.1', `${CHUNKED}5;a\n`, 400, 'bad-chunk-extension'],
  ['a bare LF in a quoted extension', 'RFC 9112 7.1.1', `${CHUNKED}5;a="\n`, 400, 'bad-chunk-extension'],
  ['an extension without a name', 'RFC 9112 7.1.1', `${CHUNKED}5;\r\n`, 400, 'bad-chunk-extension'],
  ['NUL in a chunk extension', 'RFC 9112 7.1.1', `${CHUNKED}5;\0`, 400, 'bad-chunk-extension'],
  [
    'chunk extensions of 16 KiB',
    'RFC 9112 7.1.1',
    `${CHUNKED}${`1;${'a'.repeat(999)}\r\nx\r\n`.repeat(17)}`,
    413,
    'chunk-extensions-too-large',
  ],
  ['more data than the chunk has', 'RFC 9112 7.1', `${CHUNKED}1\r\nab\r\n`, 400, 'bad-chunk-end'],
  ['data that ends with LF', 'RFC 9112 7.1', `${CHUNKED}1\r\na\n`, 400, 'bad-chunk-end'],
  ['data that ends with CR', 'RFC 9112 7.1', `${CHUNKED}1\r\na\rX`, 400, 'bad-chunk-end'],
  // Trailers
  ['a folded trailer', 'RFC 9112 5.2', `${CHUNKED}0\r\nA: b\r\n c\r\n`, 400, 'folded-line'],
  ['a trailer with a space before the colon', 'RFC 9112 5.1', `${CHUNKED}0\r\nA : b\r\n`, 400, 'space-before-colon'],
  ['a bare LF behind the last chunk', 'RFC 9112 7.1', `${CHUNKED}0\n`, 400, 'bare-lf'],
  ['a bare LF behind a trailer', 'RFC 9112 2.2', `${CHUNKED}0\r\nA: b\n`, 400, 'bare-lf'],
  ['trailers of 16 KiB', 'RFC 6585 5', `${CHUNKED}0\r\nA: ${'b'.repeat(16_384)}`, 431, 'trailers-too-large'],
  ['101 trailers', 'RFC 6585 5', `${CHUNKED}0\r\n${'a:\r\n'.repeat(100)}b`, 431, 'too-many-trailers'],
];

test.each(REFUSED)('%s (%s)', (_name, _section, bytes, status, reason) => {
  const error = { status, reason };
  expect(decode([bytes]).error).toEqual(error);
  // In front of another request, too: nothing behind it is taken for one.
  const { requests, error: same } = decode([`${bytes}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`]);
  expect(same).toEqual(error);
  expect(requests.map(({ head }) => head.target)).not.toContain('/smuggled');
  if (bytes.length > 1000) return;
  expect(decode([...bytes]).error).toEqual(error);
});

test.each([
  ['an empty line before the request', `\r\n${GET}Host: a\r\n\r\n`],
  ['an empty Host', `${GET}Host:\r\n\r\n`],
  ['a Host with an empty port', `${GET}Host: a:\r\n\r\n`],
  ['HTTP/1.0 without Host', 'GET / HTTP/1.0\r\n\r\n'],
  ['a name of every tchar', `${GET}Host: a\r\n!#$%&'*+-.^_\`|~09azAZ: b\r\n\r\n`],
  ['a value with a tab and obs-text', `${GET}Host: a\r\nX: a\tb \x80\xff\r\n\r\n`],
  ['an empty value', `${GET}Host: a\r\nX:\r\nY: \t \r\n\r\n`],
  ['a length with zeros before it', `${POST}Content-Length: 0005\r\n\r\nhello`],
  ['a chunk size with zeros before it', `${CHUNKED}005\r\nhello\r\n00\r\n\r\n`],
  ['a space before an extension', `${CHUNKED}5 ;a\r\nhello\r\n0\r\n\r\n`],
  ['a list of options with empty elements', `${GET}Host: a\r\nConnection: ,, close ,\r\n\r\n`],
  ['a request line of 8,192 bytes', `GET /${'a'.repeat(8178)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ['CONNECT with a length of 0', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'],
])('but not %s', (_name, bytes) => {
  const { requests, error } = decode([bytes]);
  expect(error).toBeNull();
  expect(requests).toHaveLength(1);
  expect(requests[0]?.trailers).toEqual([]);
  expect(decode([...bytes])).toEqual({
    requests: [{ ...requests[0], pieces: expect.any(Number) }],
    error: null,
  });
});
