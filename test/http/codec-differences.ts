// Where the codec and Node's parser differ, and why the codec is right.
import { isIPv6 } from 'node:net';
import type { Request } from './codec-events.js';
import { NODE_METHODS, type NodeRequest } from './node-parser.js';

/** The first request that is judged differently. */
export interface Difference {
  readonly bytes: string;
  /** Where we refuse them: at the begin of a head, or at the byte of a body. */
  readonly at: number;
  /** What each told of it before the end of the stream or its error. */
  readonly ours: Request | null;
  readonly node: NodeRequest | null;
  /** Our reason, and Node's code with its words. At most one of them. */
  readonly error: string | null;
  readonly nodeError: string | null;
}

export interface Rule {
  readonly name: string;
  readonly section: string;
  readonly applies: (difference: Difference) => boolean;
}

function valuesOf(node: NodeRequest | null, wanted: string): string[] {
  return (node?.fields ?? []).filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
}

/** We refuse with `reason` what Node takes, and `holds` says that it is what the section is about. */
function stricter(
  name: string,
  section: string,
  reasons: string | readonly string[],
  holds: (node: NodeRequest, difference: Difference) => boolean,
): Rule {
  const applies = (difference: Difference) =>
    difference.error !== null &&
    [reasons].flat().includes(difference.error) &&
    difference.node !== null &&
    holds(difference.node, difference);
  return { name, section, applies };
}

/** Node refuses with words like `words` what we take. */
function taken(
  name: string,
  section: string,
  words: RegExp,
  holds: (ours: Request, difference: Difference) => boolean,
): Rule {
  const applies = (difference: Difference) =>
    difference.nodeError !== null &&
    words.test(difference.nodeError) &&
    difference.ours !== null &&
    holds(difference.ours, difference);
  return { name, section, applies };
}

/** Both take the request, and read it differently. */
function both(name: string, section: string, holds: (ours: Request, node: NodeRequest) => boolean): Rule {
  const applies = ({ ours, node, error, nodeError }: Difference) =>
    error === null && nodeError === null && ours !== null && node !== null && holds(ours, node);
  return { name, section, applies };
}

const REGISTERED_NAME = /^(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$/;

/** uri-host [ ":" port ] */
function isAuthority(text: string): boolean {
  const [, literal, name, port] = /^(?:\[(.*)\]|([^:]*))(?::(\d*))?$/.exec(text) ?? [];
  if (Number(port ?? 0) > 65535) return false;
  return literal === undefined ? name !== undefined && REGISTERED_NAME.test(name) : isIPv6(literal);
}

const CODINGS = /^chunked$/i;

export const RULES: readonly Rule[] = [
  {
    name: 'one empty line before a request is skipped, not any number of CR and LF',
    section: 'RFC 9112 2.2: "at least one empty line (CRLF)"; what is no CRLF is no empty line',
    applies: ({ bytes, at, error }) =>
      (error === 'bad-method' || error === 'bare-cr') && /^(?:\n|\r(?!\n)|\r\n[\r\n])/.test(bytes.slice(at)),
  },
  stricter(
    'one space behind the method',
    'RFC 9112 3: request-line = method SP request-target SP HTTP-version',
    'bad-target',
    (_node, { bytes, at }) => /^(?:\r\n)?[^ ]+ {2}/.test(bytes.slice(at)),
  ),
  stricter(
    'one space behind the target',
    'RFC 9112 3: request-line = method SP request-target SP HTTP-version',
    'bad-version',
    (_node, { bytes, at }) => /^(?:\r\n)?[^ ]+ [^ ]+ {2}/.test(bytes.slice(at)),
  ),
  stricter(
    'HTTP/0.9 has no version',
    'RFC 9112 3: request-line = method SP request-target SP HTTP-version',
    ['bad-target', 'bare-lf'],
    (node) => node.version === '0.9',
  ),
  stricter(
    'no version but HTTP/1',
    'RFC 9110 15.6.6',
    'version-not-supported',
    (node) => !node.version.startsWith('1.'),
  ),
  taken(
    'a later minor version is read as 1.1',
    'RFC 9110 2.5: "SHOULD process it as if it was in the highest minor version"',
    /^HPE_INVALID_VERSION/,
    (_ours, { bytes }) => /^[^ ]+ [^ ]+ HTTP\/1\.[2-9]\r\n/m.test(bytes),
  ),
  stricter('a target has no fragment', 'RFC 9112 3.2: none of the four forms has one', 'bad-target', (node) =>
    node.target.includes('#'),
  ),
  stricter(
    'a target has one of four forms, by its method',
    'RFC 9112 3.2.1 to 3.2.4',
    'bad-target',
    (node) => !node.target.startsWith('/') && !/^https?:\/\//i.test(node.target),
  ),
  stricter(
    'an authority is a host and perhaps a port; CONNECT needs both',
    'RFC 9112 3.2.2 and 3.2.3, RFC 9110 4.2',
    'bad-authority',
    (node) => {
      const authority = node.method === 'CONNECT' ? node.target : (node.target.split(/[/?]/)[2] ?? '');
      const complete = node.method === 'CONNECT' ? /[^:]:\d+$/ : /^[^:]/;
      return !isAuthority(authority) || !complete.test(authority);
    },
  ),
  stricter(
    'a request of HTTP/1.1 has a Host',
    'RFC 9112 3.2; Node leaves it to its server',
    'missing-host',
    (node) => node.version === '1.1' && valuesOf(node, 'host').length === 0,
  ),
  stricter(
    'a request has one Host',
    'RFC 9112 3.2; Node leaves it to its server',
    'several-hosts',
    (node) => valuesOf(node, 'host').length > 1,
  ),
  stricter(
    'a Host is a host and perhaps a port',
    'RFC 9112 3.2, RFC 9110 7.2; Node leaves it to its server',
    'bad-host',
    (node) => valuesOf(node, 'host').some((value) => !isAuthority(value) || value.startsWith(':')),
  ),
  stricter(
    'a length that is no number of JavaScript',
    'RFC 9110 8.6: "prevent parsing errors due to integer conversion overflows"',
    'bad-content-length',
    (node) => valuesOf(node, 'content-length').some((value) => Number(value) > Number.MAX_SAFE_INTEGER),
  ),
  stricter(
    'a transfer coding is a token, and chunked is the last one',
    'RFC 9112 6.1 and 6.3; an empty element of the list is a way to smuggle',
    'bad-transfer-encoding',
    (node) =>
      valuesOf(node, 'transfer-encoding')
        .join(',')
        .split(',')
        .some((coding) => !CODINGS.test(coding.trim())),
  ),
  stricter('a coding that we do not have is 501', 'RFC 9112 6.1', 'unknown-transfer-coding', (node) =>
    valuesOf(node, 'transfer-encoding')
      .join(',')
      .split(',')
      .some((coding) => !CODINGS.test(coding.trim())),
  ),
  stricter(
    'HTTP/1.0 has no transfer codings',
    'RFC 9112 6.1: "the server ... MUST treat the message as if the framing is faulty"',
    'transfer-encoding-in-http10',
    (node) => node.version === '1.0' && valuesOf(node, 'transfer-encoding').length > 0,
  ),
  stricter(
    'CONNECT has no body',
    'RFC 9110 9.3.6: a server may refuse it, as what follows is the tunnel to another reader',
    'connect-with-body',
    (node) => node.method === 'CONNECT',
  ),
  stricter(
    'a chunk size has at most 16 digits',
    'RFC 9112 7.1: "MUST anticipate potentially large hexadecimal numerals"',
    'bad-chunk-size',
    (_node, { bytes, at }) => /\r\n[0-9A-Fa-f]{17}/.test(bytes.slice(at - 18, at + 1)),
  ),
  stricter(
    'a chunk extension has a name, and a value behind "="',
    'RFC 9112 7.1.1',
    'bad-chunk-extension',
    (_node, { bytes, at }) => /\r\n[0-9A-Fa-f]+[ \t]*(?:;[^\r\n]*)?$/.test(bytes.slice(0, at)),
  ),
  taken(
    'any token is a method',
    "RFC 9110 9.1: 501 is the answer to one that is not known, and is the application's",
    /^HPE_INVALID_METHOD/,
    ({ head }) => !NODE_METHODS.includes(head.method),
  ),
  taken(
    'white space around a length may be tabs',
    'RFC 9112 5: OWS = *( SP / HTAB )',
    /^HPE_INVALID_CONTENT_LENGTH: Invalid character/,
    ({ head }, { bytes }) =>
      /content-length:[ \t]*\t|content-length:[ \t]*\d+[ \t]*\t/i.test(bytes) && head.contentLength >= 0,
  ),
  taken(
    'white space around a transfer coding may be tabs',
    'RFC 9112 5: OWS = *( SP / HTAB )',
    /^HPE_INVALID_TRANSFER_ENCODING/,
    ({ head }, { bytes }) =>
      head.flags.includes('chunked') &&
      /transfer-encoding:[ \t]*\t|transfer-encoding:[ \t]*chunked[ \t]*\t/i.test(bytes),
  ),
  taken(
    'a length among the trailers says nothing, and is left out',
    'RFC 9110 6.5.1',
    /^HPE_INVALID_CONTENT_LENGTH: Content-Length can't be present with Transfer-Encoding/,
    ({ head, trailers }, { bytes }) =>
      head.flags.includes('chunked') &&
      trailers !== null &&
      /\r\n0+(?:;.*)?\r\n(?:.+\r\n)*content-length:/i.test(bytes),
  ),
  taken(
    'white space around the parts of a chunk extension',
    'RFC 9112 7.1.1: "MUST parse for such bad whitespace and remove it"',
    /^HPE_(?:STRICT: Invalid character in chunk ext|INVALID_CHUNK_SIZE)/,
    ({ head }, { bytes }) =>
      head.flags.includes('chunked') && /[0-9A-Fa-f][ \t]+;|;[ \t]+|[\w"][ \t]+[=;]|=[ \t]+/.test(bytes),
  ),
  {
    name: 'a request for another protocol may have a body, which is checked',
    section: 'RFC 9110 7.8: the request is read whole before the protocol changes',
    applies: ({ ours, node, nodeError }) =>
      nodeError === null &&
      node?.upgrade === true &&
      node.body === '' &&
      ours !== null &&
      ours.head.flags.includes('upgrade') &&
      ours.head.flags.includes('hasBody'),
  },
  both(
    'HTTP/1.0 has no Upgrade',
    'RFC 9110 7.8: a server must ignore it there',
    (ours, node) => node.upgrade && node.version === '1.0' && !ours.head.flags.includes('upgrade'),
  ),
  both(
    'close comes before keep-alive, whichever is written first',
    'RFC 9112 9.3: the first of its rules',
    (ours, node) =>
      node.keepAlive &&
      !ours.head.flags.includes('keepAlive') &&
      /close/i.test(valuesOf(node, 'connection').join()) &&
      /keep-alive/i.test(valuesOf(node, 'connection').join()),
  ),
  both(
    'Proxy-Connection says nothing',
    'RFC 9112 C.2.2: a recipient should ignore it',
    (ours, node) =>
      valuesOf(node, 'proxy-connection').length > 0 && ours.head.flags.includes('keepAlive') !== node.keepAlive,
  ),
];
