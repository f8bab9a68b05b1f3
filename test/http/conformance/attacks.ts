// How requests are smuggled, by name: a message that two readers may take to end at different places, with another request
// where the second one would look for it. What is refused ends the connection; what is a request is answered as one, and so
// is what follows it.
const HOST = 'Host: a\r\n';
const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n`;
const POST = `POST /first HTTP/1.1\r\n${HOST}`;

export interface Attack {
  readonly name: string;
  readonly bytes: string;
  /** Statuses of the replies, in order. Behind one of 400 and above nothing comes, unless `goesOn`. */
  readonly statuses: readonly number[];
  /** What was handled, in order: method, path and body. */
  readonly handled: readonly string[];
  /** The connection is kept. */
  readonly goesOn?: boolean;
}

function refused(name: string, bytes: string, status = 400, handled: readonly string[] = []): Attack {
  return { name, bytes, statuses: [status], handled };
}

function taken(name: string, bytes: string, handled: readonly string[]): Attack {
  return { name, bytes, statuses: handled.map(() => 200), handled, goesOn: true };
}

/** Ends, in all readers that believe in chunks, behind the last one. */
const NO_CHUNKS = '0\r\n\r\n';

const obfuscations: Record<string, string> = {
  'a space before the colon': 'Transfer-Encoding : chunked',
  'a tab before the colon': 'Transfer-Encoding\t: chunked',
  'a folded value': 'Transfer-Encoding:\r\n chunked',
  'a folded value with a tab': 'Transfer-Encoding:\r\n\tchunked',
  'a line before it that is folded onto it': 'X: y\r\n Transfer-Encoding: chunked',
  'a leading space in the line': ' Transfer-Encoding: chunked',
  'a vertical tab in the value': 'Transfer-Encoding: \x0bchunked',
  'a form feed in the value': 'Transfer-Encoding: chunked\x0c',
  'NUL in the value': 'Transfer-Encoding: chunked\0',
  'NUL in the name': 'Transfer-\0Encoding: chunked',
  'a bare CR before it': 'X: y\rTransfer-Encoding: chunked',
  'a bare LF before it': 'X: y\nTransfer-Encoding: chunked',
  'a bare CR behind it': 'Transfer-Encoding: chunked\rX: y',
  quotes: 'Transfer-Encoding: "chunked"',
  'single quotes': "Transfer-Encoding: 'chunked'",
  'a word before it': 'Transfer-Encoding: x chunked',
  'a word joined to it': 'Transfer-Encoding: xchunked',
  'identity before it': 'Transfer-Encoding: identity, chunked',
  'identity behind it': 'Transfer-Encoding: chunked, identity',
  'identity in a line behind it': 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  'identity in a line before it': 'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked',
  twice: 'Transfer-Encoding: chunked, chunked',
  'twice, in lines of their own': 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'a parameter': 'Transfer-Encoding: chunked; x=y',
  'a comma before it': 'Transfer-Encoding: ,chunked',
  'a comma behind it': 'Transfer-Encoding: chunked,',
  nothing: 'Transfer-Encoding:',
  cow: 'Transfer-Encoding: cow',
};

export const ATTACKS: readonly Attack[] = [
  // CL.TE: the front believes the length, the back the chunks
  refused(
    'CL.TE',
    `${POST}Content-Length: ${5 + SMUGGLED.length}\r\nTransfer-Encoding: chunked\r\n\r\n${NO_CHUNKS}${SMUGGLED}`,
  ),
  // TE.CL: the other way around
  refused(
    'TE.CL',
    `${POST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n${NO_CHUNKS}`,
  ),
  refused('TE.0 behind HTTP/1.0', `POST /first HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n${NO_CHUNKS}${SMUGGLED}`),
  refused('CL.CL, that differ', `${POST}Content-Length: 0\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`),
  refused('CL.CL, the same', `${POST}Content-Length: 0\r\nContent-Length: 0\r\n\r\n${SMUGGLED}`),
  refused('CL in a list', `${POST}Content-Length: 0, ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`),
  refused('CL with a plus', `${POST}Content-Length: +0\r\n\r\n${SMUGGLED}`),
  refused('CL with an underscore', `${POST}Content-Length: 1_0\r\n\r\n${SMUGGLED}`),
  refused('CL in full-width digits', `${POST}Content-Length: \xef\xbc\x90\r\n\r\n${SMUGGLED}`),
  refused('CL that wraps at 64 bits', `${POST}Content-Length: 18446744073709551616\r\n\r\n${SMUGGLED}`),
  refused('CL with a fraction', `${POST}Content-Length: 0.0\r\n\r\n${SMUGGLED}`),
  refused('CL with a space before the colon', `${POST}Content-Length : ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`),
  // TE.TE: one of the two does not see that it is chunked
  ...Object.entries(obfuscations).map(([name, field]) =>
    refused(`TE.TE, obfuscated by ${name}`, `${POST}${field}\r\nContent-Length: 4\r\n\r\n${NO_CHUNKS}${SMUGGLED}`),
  ),
  // A length that is really one: what looks like a request is its body
  taken('a request in a body is a body', `${POST}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`, [
    `POST /first ${SMUGGLED}`,
  ]),
  taken(
    'a request in a chunk is a body',
    `${POST}Transfer-Encoding: chunked\r\n\r\n${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n${NO_CHUNKS}`,
    [`POST /first ${SMUGGLED}`],
  ),
  taken(
    'CL.0: GET with a body',
    `GET /first HTTP/1.1\r\n${HOST}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
    [`GET /first ${SMUGGLED}`],
  ),
  taken('a length in a field of another name', `${POST}Content_Length: 500\r\nContent-Length-X: 3\r\n\r\n`, [
    'POST /first ',
  ]),
  // Chunks
  refused(
    'a chunk size that wraps at 64 bits',
    `${POST}Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n${SMUGGLED}`,
    400,
    ['POST /first !400'],
  ),
  refused('a chunk size with a minus', `${POST}Transfer-Encoding: chunked\r\n\r\n-1\r\n${SMUGGLED}`, 400, [
    'POST /first !400',
  ]),
  refused('a chunk size with 0x', `${POST}Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n${SMUGGLED}`, 400, [
    'POST /first !400',
  ]),
  refused('a bare LF behind a chunk size', `${POST}Transfer-Encoding: chunked\r\n\r\n0\n\r\n${SMUGGLED}`, 400, [
    'POST /first !400',
  ]),
  refused('a bare LF behind a chunk', `${POST}Transfer-Encoding: chunked\r\n\r\n1\r\nx\n0\r\n\r\n${SMUGGLED}`, 400, [
    'POST /first !400',
  ]),
  refused('a bare CR behind a chunk size', `${POST}Transfer-Encoding: chunked\r\n\r\n0\rX\n\r\n${SMUGGLED}`, 400, [
    'POST /first !400',
  ]),
  refused(
    'TERM.EXT: a bare LF in a chunk extension',
    `${POST}Transfer-Encoding: chunked\r\n\r\n2;\nxx\r\n0\r\n\r\n${SMUGGLED}`,
    400,
    ['POST /first !400'],
  ),
  refused(
    'EXT.TERM: a bare CR in a chunk extension',
    `${POST}Transfer-Encoding: chunked\r\n\r\n2;a\rxx\r\n0\r\n\r\n${SMUGGLED}`,
    400,
    ['POST /first !400'],
  ),
  refused(
    'a chunk that spills over',
    `${POST}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n${SMUGGLED}`,
    400,
    ['POST /first !400'],
  ),
  refused(
    'two bytes for CRLF behind a chunk',
    `${POST}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n${SMUGGLED}`,
    400,
    ['POST /first !400'],
  ),
  taken(
    'chunk extensions of every kind',
    `${POST}Transfer-Encoding: chunked\r\n\r\n2;a\r\nhe\r\n2 ; b="x\\"y;\\\\" ;c=d\r\nll\r\n1\r\no\r\n00000;z\r\n\r\n`,
    ['POST /first hello'],
  ),
  taken(
    'trailers that would be fields of the head: they are left out',
    `${POST}Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 500\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n`,
    ['POST /first '],
  ),
  // Whom it is for
  refused('no Host', 'GET /first HTTP/1.1\r\n\r\n'),
  refused('two Hosts', `GET /first HTTP/1.1\r\n${HOST}Host: b\r\n\r\n`),
  refused('a Host with a space before the colon', 'GET /first HTTP/1.1\r\nHost : a\r\n\r\n'),
  refused('a Host that is folded', 'GET /first HTTP/1.1\r\nHost:\r\n a\r\n\r\n'),
  refused('a Host with @', 'GET /first HTTP/1.1\r\nHost: a@b\r\n\r\n'),
  refused('a Host that is a URL', 'GET /first HTTP/1.1\r\nHost: http://a\r\n\r\n'),
  refused('a Host with a path', 'GET /first HTTP/1.1\r\nHost: a/b?c\r\n\r\n'),
  taken('an absolute-form that says another host: the target counts', `GET http://b:81/first HTTP/1.1\r\n${HOST}\r\n`, [
    'GET /first ',
  ]),
  // What is not HTTP/1
  refused('HTTP/0.9', 'GET /first\r\n'),
  refused('HTTP/0.9 by its number', 'GET /first HTTP/0.9\r\n\r\n', 505),
  refused('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x04\0\xff\xff\xff', 505),
  taken('a version of HTTP/1 that nobody has', `GET /first HTTP/1.9\r\n${HOST}\r\n`, ['GET /first ']),
  refused('a version of HTTP that nobody has', `GET /first HTTP/4.1\r\n${HOST}\r\n`, 505),
  refused('a ClientHello', '\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03\r\n\r\n'),
  refused('a ClientHello of SSL 2', '\x80\x2e\x01\x03\x01\x00\x15\r\n\r\n'),
  refused('a line of SMTP', 'EHLO example.com\r\n'),
  refused('a command of Redis', '*1\r\n$4\r\nPING\r\n'),
  refused('the header of a PROXY protocol', 'PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET / HTTP/1.1\r\n\r\n'),
  // What would be too much
  refused('a line that never ends', `GET /${'a'.repeat(20_000)}`, 414),
  refused('a field that never ends', `GET /first HTTP/1.1\r\n${HOST}X: ${'a'.repeat(20_000)}`, 431),
  refused('a thousand fields', `GET /first HTTP/1.1\r\n${HOST}${'a: b\r\n'.repeat(1000)}\r\n`, 431),
  // Methods
  taken('a method that nobody knows', `BREW /first HTTP/1.1\r\n${HOST}\r\n`, ['BREW /first ']),
  taken('a method in small letters is another one', `get /first HTTP/1.1\r\n${HOST}\r\n`, ['get /first ']),
  refused('a method with a colon', `GE:T /first HTTP/1.1\r\n${HOST}\r\n`),
  refused('two requests in a line', `GET /first HTTP/1.1 GET /second HTTP/1.1\r\n${HOST}\r\n`),
  // Behind the last request
  {
    name: 'a request behind Connection: close',
    bytes: `GET /first HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    statuses: [200],
    handled: ['GET /first '],
  },
  {
    name: 'a request behind HTTP/1.0',
    bytes: 'GET /first HTTP/1.0\r\n\r\n',
    statuses: [200],
    handled: ['GET /first '],
  },
  {
    name: 'a request behind a CONNECT that is refused',
    bytes: `CONNECT a:443 HTTP/1.1\r\n${HOST}\r\n`,
    statuses: [405],
    handled: ['CONNECT  '],
  },
];

/** What follows each of them, and is handled only where the connection goes on. */
export const FOLLOWS = `GET /follows HTTP/1.1\r\n${HOST}\r\n`;
