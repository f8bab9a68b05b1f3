// Calls the functions of the HTTP codec in any order with nonsense: handles, words of the table, parts of memory, static
// tables, streams. Says how many calls were refused; that it gets there at all is the test. argv: seed, calls.
// With workers that are terminated in the middle of it.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { addonPath } from '../raw-border.mjs';

let state = Number(process.argv[2]) >>> 0;
const calls = Number(process.argv[3]);
const random = (below = 0x100000000) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((((state ^ (state >>> 13)) >>> 0) / 0x100000000) * below);
};
const pick = (from) => from[random(from.length)];
const word = () => [random(8), random(70_000), 0xffffffff - random(8), (1 << random(32)) >>> 0, random()][random(5)];
const anything = () =>
  pick([undefined, null, '', 'x', -1, 1.5, Number.NaN, 2 ** 32, {}, [], 1n, Symbol('s'), () => {}]);

const PARTS = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a\r\nhello\r\n0\r\nA: b\r\n\r\n',
  'GET /s HTTP/1.1\r\nHost: a\r\n',
  '\r\n',
  'X: y\r\n',
  'GET http://a/',
  '\0',
  'A'.repeat(500),
];

const addon = createRequire(import.meta.url)(addonPath);
const http = addon.openHttp();
const table = new Uint32Array(http.table);
const servers = [];
const connections = [];
let refused = 0;

// Memory of exactly its size, so that a sanitizer sees what is read or written beside it.
const exact = (text) => new Uint8Array(Buffer.from(text, 'latin1'));
const stream = () => {
  let text = '';
  for (let parts = random(6); parts > 0; parts--) text += pick(PARTS);
  return exact(text.slice(random(3) === 0 ? random(text.length + 1) : 0));
};

// From some point on there are arenas, which the codec takes without being given them.
let arena = null;
function openArenas() {
  addon.open({ backend: 'auto' }, () => {});
  arena = new Uint8Array(addon.openIo().receiveArena);
}

function parseArena() {
  const input = stream();
  const offset = pick([0, random(arena.length - input.length), arena.length - input.length]);
  arena.set(input, offset);
  const rare = () => random(30) === 0;
  table.set([pick(connections), rare() ? word() : offset, rare() ? word() : input.length, random(4)]);
  table.set([rare() ? word() : random(4_000_000), rare() ? word() : random(2) * 1000, rare() ? word() : random(4)], 4);
  http.parse(random(2) === 0 ? undefined : anything(), random(2) === 0 ? undefined : anything());
}

function parse() {
  const input = random(20) === 0 ? anything() : stream();
  const output = random(20) === 0 ? anything() : new Uint8Array(random(200));
  const rare = () => random(30) === 0;
  table[0] = rare() ? word() : pick(connections);
  table[1] = rare() ? word() : 0;
  table[2] = rare() ? word() : (input?.length ?? 0);
  table[3] = rare() ? word() : random(4);
  table[4] = rare() ? word() : 0;
  table[5] = rare() ? word() : random(2) * (output?.length ?? 0);
  table[6] = rare() ? word() : 0;
  http.parse(input, output);
}

function setStatic() {
  const reply = 'HTTP/1.1 200 OK\r\n\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT';
  const bytes = exact(`/s${reply}`);
  const words = [0xffffffff, 0, 0, 2, 1, 1, 2, reply.length, 0xffffffff];
  for (let changes = random(3); changes > 0; changes--) words[random(words.length)] = word();
  http.setStatic(pick(servers), Uint32Array.from(words.slice(0, 9 - random(2) * random(9))), bytes);
}

function step() {
  if (arena === null && random(200) === 0) openArenas();
  switch (random(12)) {
    case 0:
      if (servers.length < 20)
        servers.push(http.server(1 + random(100), 1 + random(600), 1 + random(8), random(20), 2 + random(60)));
      break;
    case 1:
      if (connections.length < 200) connections.push(http.attach(pick(servers)));
      break;
    case 2:
      http.detach(random(4) === 0 ? word() : connections.splice(random(connections.length), 1)[0]);
      break;
    case 3:
      if (servers.length > 2) http.dropServer(servers.splice(random(servers.length), 1)[0]);
      break;
    case 4:
      http.skipBody(random(4) === 0 ? word() : pick(connections));
      break;
    case 5:
      setStatic();
      break;
    case 6: {
      const name = pick(['server', 'setStatic', 'dropServer', 'attach', 'detach', 'skipBody']);
      http[name](...Array.from({ length: random(7) }, () => (random(2) === 0 ? anything() : word())));
      break;
    }
    default:
      if (arena !== null && random(2) === 0) parseArena();
      else parse();
  }
}

if (!isMainThread) parentPort.postMessage('begun');
for (let i = 0; i < calls || !isMainThread; i++) {
  try {
    step();
  } catch (error) {
    if (typeof error.code !== 'string') throw error;
    refused++;
  }
}

for (let i = 0; i < 4; i++) {
  const worker = new Worker(fileURLToPath(import.meta.url), { argv: process.argv.slice(2) });
  await new Promise((resolve) => worker.once('message', resolve));
  await worker.terminate();
}
for (const connection of connections) {
  try {
    http.detach(connection);
  } catch (error) {
    // A handle out of thin air was that of this one.
    if (error.code !== 'ERR_MILLRACE_INVALID_STATE') throw error;
  }
}
console.log(JSON.stringify({ refused, connections: http.connections() }));
