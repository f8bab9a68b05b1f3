// A reverse proxy. Bodies stream both ways, and who reads slowly slows down who sends; when the client goes, what is asked
// for it is cancelled. Run: node examples/http-reverse-proxy.mjs 8080 http://127.0.0.1:3000
import { once } from 'node:events';
import { request as ask } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { HttpError, Reply, serve } from 'millrace/http';
import { httpAgent } from 'millrace/node';

const [port = '8080', origin = 'http://127.0.0.1:3000'] = process.argv.slice(2);
const target = new URL(origin);
// Node's client, over Millrace's sockets.
const agent = httpAgent({ keepAlive: true, maxSockets: 256 });
const ANSWER_MS = 30_000;

// Of one connection, not of the message (RFC 9110, 7.6.1), with those that Connection names. Expect is answered here, by
// reading the body; Proxy-Authorization is for a proxy before us.
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade'];
const OURS = ['host', 'expect', 'proxy-authorization', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'];

/** Fields to hand on: `lines` are names and values in turn, so that several lines of a name stay several. */
function* forwarded(lines, connection, without = []) {
  const named = (connection ?? '').toLowerCase().split(/\s*,\s*/);
  const dropped = new Set([...HOP_BY_HOP, ...without, ...named]);
  for (let i = 0; i < lines.length; i += 2) {
    if (!dropped.has(lines[i].toLowerCase())) yield [lines[i], lines[i + 1]];
  }
}

/** As it was sent; of an absolute URL the part behind the host. */
function pathOf({ target }) {
  return target === '*' ? target : target.replace(/^[a-z][^:/?]*:\/\/[^/?]*/i, '').replace(/^(?!\/)/, '/');
}

async function sendBody(request, upstream) {
  // Waits for 'drain': the client is read from as fast as the upstream takes it.
  await pipeline(request.body, upstream, { end: false });
  if (request.trailers.size > 0) upstream.addTrailers([...request.trailers]);
  upstream.end();
}

async function handle(request) {
  if (request.method === 'CONNECT') throw new HttpError(405, undefined, { headers: { Allow: 'GET, HEAD, POST, PUT' } });
  const { headers, signal } = request;
  const upstream = ask({
    agent,
    host: target.hostname,
    port: target.port || 80,
    method: request.method,
    path: pathOf(request),
    setHost: false,
    signal, // the client's going ends it
  });
  upstream.setTimeout(ANSWER_MS, () => upstream.destroy(new HttpError(504)));
  for (const [name, value] of forwarded(headers.raw(), headers.get('connection'), OURS))
    upstream.appendHeader(name, value);
  upstream.setHeader('Host', target.host);
  // Whatever a client says of itself comes first, what is known comes last.
  upstream.setHeader(
    'X-Forwarded-For',
    [...headers.getAll('x-forwarded-for'), request.remoteAddress.address].join(', '),
  );
  upstream.setHeader('X-Forwarded-Host', request.host);
  upstream.setHeader('X-Forwarded-Proto', request.protocol);
  upstream.appendHeader('Via', `${request.httpVersion} millrace`);
  if (request.contentLength < 0) upstream.setHeader('Transfer-Encoding', 'chunked');

  const answered = once(upstream, 'response');
  // Its failure is that of `answered` as well; and there may be an answer before the whole body was sent.
  sendBody(request, upstream).catch(() => {});
  try {
    const [answer] = await answered;
    upstream.setTimeout(0);
    return replyOf(request, answer);
  } catch (error) {
    throw error instanceof HttpError || signal.aborted ? error : new HttpError(502, undefined, { cause: error });
  }
}

function replyOf(request, answer) {
  const { statusCode: status, rawHeaders } = answer;
  const headers = [...forwarded(rawHeaders, answer.headers.connection)];
  if (request.method === 'HEAD' || status === 204 || status === 304) {
    answer.resume();
    return new Reply(null, { status, headers });
  }
  // What it throws (the upstream breaks off) ends the connection: the client must not take a part for the whole.
  const body = async (writer) => {
    for await (const bytes of answer) await writer.write(bytes);
    for (const [name, value] of forwarded(answer.rawTrailers)) writer.trailers.append(name, value);
  };
  return new Reply(body, { status, headers });
}

const server = serve({
  hostname: '127.0.0.1',
  port: Number(port),
  fetch: handle,
  handlerError(error, request) {
    console.error(`${request.method} ${request.target}: ${error.cause?.message ?? error.message}`);
  },
});
await server.ready;
console.log(`listening on 127.0.0.1:${server.port}, for ${target.origin}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await server.close();
    agent.destroy();
  });
}
