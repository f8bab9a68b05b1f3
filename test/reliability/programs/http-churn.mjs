// argv: connections, requests of each. What they leave behind is measured between two quiet moments.
import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openCodec } from '../../../build/test/lib/http/codec.js';
import { Reply, serve } from '../../../build/test/lib/http/index.js';
import { spawn } from '../../../build/test/lib/index.js';
import { loadAddon } from '../../../build/test/lib/internal/binding.js';
import { connect } from '../../../build/test/lib/net/index.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const connections = Number(process.argv[2]);
const requestsOfEach = Number(process.argv[3]);
const WIDTH = 32;

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

async function visit(count) {
  for (let i = 0; i < count; i++) {
    const socket = await connect({ host: '127.0.0.1', port: server.port });
    for (let j = 0; j < requestsOfEach; j++) {
      const kind = (i + j) % asked.length;
      void socket.write(asked[kind]);
      await socket.readUntil(ends[kind], 4096);
      answered++;
    }
    // With a reset no port is left in TIME_WAIT.
    if (i % 8 === 0) await socket.close();
    else socket.destroy();
  }
}
const round = (count) => Promise.all(Array.from({ length: WIDTH }, () => spawn(() => visit(count / WIDTH))));

async function measure() {
  while (loadAddon().counters().socketsOpen > 1) await new Promise((resolve) => setTimeout(resolve, 1));
  collect();
  return {
    heap: process.memoryUsage().heapUsed,
    resident: process.memoryUsage().rss,
    open: readdirSync('/proc/self/fd').length,
  };
}

const warm = Math.min(3200, connections);
await round(warm);
const before = await measure();
await round(connections - warm);
const after = await measure();
const { connections: left, pendingRequests: pending } = server;
await server.close();
const { socketsOpen, receiveBuffersInUse, faults } = loadAddon().counters();
console.log(
  JSON.stringify({
    answered,
    left,
    pending,
    codec: openCodec().connections,
    grownHeapBytes: after.heap - before.heap,
    grownResidentBytes: after.resident - before.resident,
    leakedDescriptors: after.open - before.open,
    socketsOpen,
    receiveBuffersInUse,
    faults,
  }),
);
