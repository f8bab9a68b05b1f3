// Streams of requests, most of them right, from a seed.
import { Buffer } from 'node:buffer';

/** mulberry32: small, and the same everywhere. */
export function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const METHODS = ['GET', 'GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE', 'PATCH', 'TRACE', 'CONNECT', 'get', 'X-OWN'];
const TARGETS = [
  ...['/', '/', '/a/b?c=d', '/%20', '*', 'http://b/', 'HTTPS://b:1?q', 'a:443', 'ftp://b/', 'a', '/a#b', '/{|}^`"<>\\'],
  ...['', '//a', '/a b', '/\xe4', 'http://u@b/', '?q', '/..;/'],
];
const VERSIONS = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/2.0',
  'HTTP/0.9',
  'http/1.1',
  'HTTP/1.2',
];
const HOSTS = [
  'Host: a',
  'Host: a',
  'Host: a',
  'Host: [::1]:80',
  'Host:',
  'Host: a b',
  'Host: a:x',
  'Host: :80',
  'host: u@a',
  '',
];
const FIELDS = [
  ...[
    'Accept: */*',
    'X-Own: a\tb',
    'Empty:',
    'Connection: close',
    'Connection: keep-alive',
    'X: \x80\xff',
    'X: "a, b"',
  ],
  ...[
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Expect: 100-continue',
    'Expect: more',
    'X : y',
    'X',
    ': y',
    'X: a\x01',
  ],
  ...['X: y\r\n z', ' X: y', 'X(: y', 'X: \x7f', 'Connection: close, x', 'Host: b', 'TE: trailers', 'Trailer: X'],
  ...['Proxy-Connection: keep-alive', 'Connection: ,', 'X: y\r', 'X: y\nZ: y', 'X\t: y'],
];
const FRAMINGS = [
  ...['', '', 'Content-Length: 5', 'Content-Length: 0', 'Transfer-Encoding: chunked', 'Transfer-Encoding: Chunked'],
  ...['Content-Length: +5', 'Content-Length: 5, 5', 'Content-Length: 05', 'Content-Length: 9007199254740993'],
  ...['Content-Length: 5\r\nContent-Length: 5', 'Content-Length: 5\r\nContent-Length: 6', 'Content-Length: '],
  ...['Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: chunked, gzip', 'Transfer-Encoding: gzip'],
  ...['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', 'Transfer-Encoding: chunked\r\nContent-Length: 5'],
  ...['Content-Length: 5\r\nTransfer-Encoding: chunked', 'Transfer-Encoding: ', 'Transfer-Encoding: chunked;a=b'],
  ...['Transfer-Encoding: ,chunked', 'Transfer-Encoding:\tchunked\t', 'Transfer-Encoding: xchunked'],
  ...['Transfer-Encoding: identity', 'Transfer-Encoding: chunked,', 'Content-Length: 5 5', 'Content-Length: \t5\t'],
];
const SIZES = [
  '5',
  '5',
  '05',
  '5;a=b',
  '5;a="b;\\"c"',
  '5 ;a',
  '5; a',
  '5;',
  '5 ',
  '5;a=',
  '5;a b',
  '+5',
  '5;\x01',
  '00000000000000005',
];
const LAST = ['0', '0', '0', '000', '0;a', '', '-0'];
const TRAILERS = ['', '', 'X-Sum: 1\r\n', 'Content-Length: 5\r\n', 'A : b\r\n', ' A: b\r\n', 'A: b\r\n c\r\n', 'A\r\n'];
const BEFORE = ['', '', '', '', '', '\r\n', '\r\n\r\n', '\n', ' ', '\r'];
/** Ends every stream, so that nothing is left undecided in a head. */
const TAIL = ' / HTTP/1.1\r\nHost: a\r\n\r\n';
/** What mutations put in. */
const BYTES = '\r\n\r\n\r\n :;,\t\0aZ059/*#%"\\\x0b\x7f\x80\xff=-+_';

export function generateStream(seed: number): Buffer {
  const random = randomOf(seed);
  const pick = (from: readonly string[]): string => from[random(from.length)] as string;
  // Odd parts are rare, else everything would end with the first request.
  const usual = (from: readonly string[]): string => (random(4) > 0 ? (from[0] as string) : pick(from));
  let stream = '';
  for (let requests = 1 + random(3); requests > 0; requests--) {
    const framing = random(2) === 0 ? pick(FRAMINGS) : (FRAMINGS[random(6)] as string);
    const lines = [usual(HOSTS), framing];
    for (let fields = random(3); fields > 0; fields--)
      lines.push(random(2) === 0 ? pick(FIELDS) : (FIELDS[0] as string));
    if (random(2) === 0) lines.reverse();
    stream += `${usual(BEFORE)}${usual(METHODS)} ${usual(TARGETS)} ${usual(VERSIONS)}\r\n`;
    stream += lines.map((line) => (line === '' ? '' : `${line}\r\n`)).join('');
    stream += '\r\n';
    if (/chunked/i.test(framing)) stream += `${usual(SIZES)}\r\nhello\r\n${usual(LAST)}\r\n${usual(TRAILERS)}\r\n`;
    else if (framing.includes('5')) stream += 'hello';
  }
  let bytes = Buffer.from(stream, 'latin1');
  for (let changes = random(3) === 0 ? 1 + random(3) : 0; changes > 0; changes--) {
    const at = random(bytes.length + 1);
    const inserted = Buffer.from([BYTES.charCodeAt(random(BYTES.length))]);
    const removed = random(3);
    const copied = random(8) === 0 ? bytes.subarray(at, at + random(12)) : Buffer.alloc(0);
    bytes = Buffer.concat([
      bytes.subarray(0, at),
      random(3) > 0 ? inserted : Buffer.alloc(0),
      copied,
      bytes.subarray(at + (removed === 2 ? random(4) : removed)),
    ]);
  }
  return Buffer.concat([bytes, Buffer.from(TAIL)]);
}
