// Nonsense in the control words and rings under the library's feet, with sockets at work. What the library makes of it may
// be wrong; it must come to an end, without a crash. argv: seed, turns.

import { sleep } from '../../../build/test/lib/index.js';
import { loadAddon } from '../../../build/test/lib/internal/binding.js';
import { border } from '../../../build/test/lib/internal/border.js';
import { connect, listen } from '../../../build/test/lib/net/index.js';

let state = Number(process.argv[2]) >>> 0;
const turns = Number(process.argv[3]);
const random = (below = 0x100000000) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((((state ^ (state >>> 13)) >>> 0) / 0x100000000) * below);
};
const word = () => [random(8), random(70_000), 0xffffffff - random(8), (1 << random(32)) >>> 0, random()][random(5)];

// The same memory that the library has, as an attacker inside the process would hold it.
const addon = loadAddon();
let rings;
const seen = Object.fromEntries(
  Object.getOwnPropertyNames(addon).map((name) => [name, (...given) => addon[name](...given)]),
);
seen.open = (...given) => (rings = addon.open(...given));
border.install(seen);
const control = new Uint32Array(rings.control);
const submissions = new Uint32Array(rings.submissions);
const completions = new Uint32Array(rings.completions);

// An attack may well make handlers throw; that is not a crash.
process.on('uncaughtException', () => {});
process.on('unhandledRejection', () => {});
const listener = await listen({ host: '127.0.0.1', data: (socket, chunk) => void socket.write(chunk), error() {} });
const options = {
  host: '127.0.0.1',
  port: listener.port,
  data: (socket, chunk) => void socket.write(chunk),
  error() {},
};
for (let i = 0; i < 16; i++) void connect(options).then((socket) => socket.write('x'));

let turn = 0;
await new Promise((resolve) => {
  const attack = () => {
    if (turn++ === turns) return resolve();
    for (let i = random(64); i > 0; i--) submissions[random(submissions.length)] = word();
    for (let i = random(64); i > 0; i--) completions[random(completions.length)] = word();
    const before = control.slice();
    const at = random(control.length);
    control[at] = word();
    if (random(4) === 0) border.flush();
    if (random(4) === 0) border.drain();
    // Cursors that never make sense again are the end of a border; an attacker who wants that can loop for ever, too.
    for (const cursor of [1, 2])
      if (at === cursor) control[cursor] = random(2) === 0 ? before[cursor] : control[cursor === 1 ? 0 : 3];
    if (turn % 16 === 0)
      connect(options)
        .then((socket) => socket.write('x'))
        .catch(() => {});
    setImmediate(attack);
  };
  attack();
});
control[1] = control[0];
control[2] = control[3];
control[4] = 0;
await sleep(1);
console.log(JSON.stringify({ turns, timers: 'fire', faults: addon.counters().faults }));
process.exit(0);
