// argv: connections, requests of each. What they leave behind is measured between two quiet moments.
import { openCodec } from '../../../build/test/lib/http/codec.js';
import { Reply, serve } from '../../../build/test/lib/http/index.js';
import { connect } from '../../../build/test/lib/net/index.js';
import { churn, leftInAddon } from './storm.mjs';

const connections = Number(process.argv[2]);
const requestsOfEach = Number(process.argv[3]);

const server = serve({
  hostname: '127.0.0.1',
  backlog: 1024,
  routes: {
    '/0': () => 'sync',
    '/1': async () => 'async',
    '/2': { POST: async (request) => Reply.json({ got: (await request.text()).length }) },
    '/3': () => Reply.stream(async (writer) => void (await writer.write('streamed'))),
    '/4': 'static',
  },
});
await server.ready;
const host = 'HTTP/1.1\r\nHost: a\r\n';
const asked = [
  `GET /0 ${host}\r\n`,
  `GET /1 ${host}X-Own: y\r\n\r\n`,
  `POST /2 ${host}Content-Length: 50\r\n\r\n${'x'.repeat(50)}`,
  `GET /3 ${host}\r\n`,
  `GET /4 ${host}\r\n`,
];
const ends = ['sync', 'async', '{"got":50}', '0\r\n\r\n', 'static'];
let answered = 0;

const leftBehind = await churn(connections, 32, async (n) => {
  const socket = await connect({ host: '127.0.0.1', port: server.port });
  for (let i = 0; i < requestsOfEach; i++) {
    const kind = (n + i) % asked.length;
    void socket.write(asked[kind]);
    await socket.readUntil(ends[kind], 4096);
    answered++;
  }
  // With a reset no port is left in TIME_WAIT.
  if (n % 8 === 0) await socket.close();
  else socket.destroy();
});
const { connections: left, pendingRequests: pending } = server;
await server.close();
console.log(
  JSON.stringify({ answered, left, pending, codec: openCodec().connections, ...leftBehind, ...leftInAddon() }),
);
