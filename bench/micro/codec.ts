import { Buffer } from 'node:buffer';
import { openCodec } from '../../lib/http/codec.js';

const LIMITS = {
  requestLineBytes: 8 * 1024,
  headBytes: 16 * 1024,
  fields: 100,
  chunkExtensionBytes: 16 * 1024,
  trailerBytes: 16 * 1024,
};

/** What wrk sends. */
export const SHORT = 'GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n';

/** Twelve fields, as a browser sends them. */
export const LONG = [
  'GET /en/products/list?page=2&sort=price HTTP/1.1',
  'Host: www.example.com',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/png,*/*;q=0.8',
  'Accept-Language: en-US,en;q=0.5',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Referer: https://www.example.com/en/products',
  'Connection: keep-alive',
  'Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=1',
  'Upgrade-Insecure-Requests: 1',
  'Sec-Fetch-Dest: document',
  'Sec-Fetch-Mode: navigate',
  'Priority: u=0, i',
  '\r\n',
].join('\r\n');

/** One call of the codec for `requests` pipelined ones: the border, the parsing, the events; nothing is read of them. */
export function parseRequests(request: string, requests: number): () => void {
  const codec = openCodec();
  const connection = codec.attach(codec.server(LIMITS));
  const input = Buffer.from(request.repeat(requests));
  return () => {
    codec.parse(connection, input, 0, input.length, requests);
    if (codec.consumed !== input.length) throw new Error('the codec left bytes');
  };
}
