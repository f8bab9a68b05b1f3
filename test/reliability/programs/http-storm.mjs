// argv: connections, backend of their choosing. Peers of every kind at once: that pipeline, send slowly, read slowly, end
// their side, reset at any moment, say nonsense. Those that hear their replies out count every one, and every byte of it.
import { openCodec } from '../../../build/test/lib/http/codec.js';
import { Reply, serve } from '../../../build/test/lib/http/index.js';
import { sleep } from '../../../build/test/lib/index.js';
import { connect } from '../../../build/test/lib/net/index.js';
import { leftInAddon, seededRandom, storm } from './storm.mjs';

const connections = Number(process.argv[2]);
const random = seededRandom(11);
const large = Buffer.alloc(200_000, 'large ');

let visits = 0;
const server = serve({
  hostname: '127.0.0.1',
  backlog: 1024,
  limits: { pipelineDepth: 8, concurrentRequests: 100, queuedRequests: 100_000 },
  routes: {
    '/static': 'static',
    '/now/:id': (request) => `now ${request.params.id}`,
    '/later/:id': (request) => sleep(random(3)).then(() => `later ${request.params.id}`),
    '/large': () => large,
    '/pieces': () =>
      Reply.stream(
        async (writer) => {
          for (let at = 0; at < large.length; at += 20_000) await writer.write(large.subarray(at, at + 20_000));
        },
        { headers: { 'Content-Length': String(large.length) } },
      ),
    '/echo': { POST: async (request) => new Uint8Array(await request.bytes()) },
    '/early': { POST: () => 'early' },
    '/broken': () =>
      Reply.stream(async (writer) => {
        await writer.write('half');
        throw new Error('broken');
      }),
  },
  handlerError() {},
});
await server.ready;

let replies = 0;
let wrong = 0;
let missing = 0;

async function readReply(socket) {
  const head = await socket.readUntil('\r\n\r\n', 65_536);
  if (head === null) return null;
  const text = head.toString('latin1');
  const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
  const body = await socket.readExact(length);
  return { status: Number(text.slice(9, 12)), body, closes: /connection: close/i.test(text) };
}

const get = (path, ...fields) =>
  Buffer.from(`GET ${path} HTTP/1.1\r\nHost: a\r\n${fields.map((f) => `${f}\r\n`).join('')}\r\n`);

function request(id) {
  switch (random(7)) {
    case 0:
      return [get('/static'), Buffer.from('static')];
    case 1:
      return [get(`/now/${id}`), Buffer.from(`now ${id}`)];
    case 2:
      return [get(`/later/${id}`), Buffer.from(`later ${id}`)];
    case 3:
      return random(4) === 0
        ? [get(random(2) === 0 ? '/large' : '/pieces'), large]
        : [get('/static'), Buffer.from('static')];
    case 4: {
      const body = large.subarray(0, random(random(8) === 0 ? 100_000 : 300));
      const head = Buffer.from(`POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
      return [Buffer.concat([head, body]), body];
    }
    case 5: {
      const body = large.subarray(0, 1 + random(2000));
      const head = `POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`;
      return [Buffer.concat([Buffer.from(head), body, Buffer.from('\r\n0\r\n\r\n')]), body];
    }
    default:
      return [
        Buffer.from(`POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n${'x'.repeat(100)}`),
        Buffer.from('early'),
      ];
  }
}

async function hearOut(socket, expected, slow) {
  for (const body of expected) {
    if (slow && random(3) === 0) await sleep(random(4));
    const reply = await readReply(socket);
    if (reply === null) {
      missing++;
      return;
    }
    replies++;
    if (reply.status !== 200 || !reply.body.equals(body)) wrong++;
  }
}

async function visit() {
  visits++;
  const socket = await connect({ host: '127.0.0.1', port: server.port, allowHalfOpen: true });
  const asked = Array.from({ length: 1 + random(12) }, (_, id) => request(id));
  const bytes = Buffer.concat(asked.map(([said]) => said));
  const expected = asked.map(([, body]) => body);
  const kind = random(8);
  if (kind === 0) {
    // Resets at some moment.
    void socket.write(bytes.subarray(0, random(bytes.length)));
    await sleep(random(3));
    socket.destroy();
  } else if (kind === 1) {
    // Nonsense behind what is in order.
    void socket.write(Buffer.concat([bytes, Buffer.from('nonsense\r\n\r\n')]));
    await hearOut(socket, expected, false);
    const refusal = await readReply(socket);
    if (refusal?.status !== 400 || (await socket.read()) !== null) wrong++;
    await socket.close();
  } else if (kind === 2) {
    // Half closes, and hears all of it.
    void socket.write(bytes);
    socket.shutdown();
    await hearOut(socket, expected, false);
    if ((await socket.read()) !== null) wrong++;
    await socket.close();
  } else if (kind === 3) {
    // A reply that breaks off is not taken for a whole one.
    void socket.write(get('/broken'));
    try {
      let text = '';
      for (let part = await socket.read(); part !== null; part = await socket.read()) text += part;
      if (text.endsWith('0\r\n\r\n')) wrong++;
    } catch {}
    await socket.close();
  } else {
    const slow = kind < 6;
    const said = (async () => {
      const piece = slow ? 1 + random(5000) : bytes.length;
      for (let at = 0; at < bytes.length; at += piece) {
        await socket.write(bytes.subarray(at, at + piece));
        if (slow && random(8) === 0) await sleep(1);
      }
    })();
    await hearOut(socket, expected, slow);
    await said;
    await socket.close();
  }
}

const { leakedDescriptors } = await storm(connections, 64, visit);
const { connections: left, pendingRequests: pending } = server;
const alive = await (await fetch(`${server.url}/now/alive`)).text();
const reset = await server.close({ drainMs: 1000 });
console.log(
  JSON.stringify({
    connections: visits,
    left,
    pending,
    codec: openCodec().connections,
    replies,
    wrong,
    missing,
    alive,
    reset,
    leakedDescriptors,
    ...leftInAddon(),
  }),
);
