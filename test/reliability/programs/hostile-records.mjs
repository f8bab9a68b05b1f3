// Sends with wild offsets and lengths, unknown kinds and flags, handles of listeners, stale and invented ones: among the
// honest records of an echo that must not notice. argv: seed, records.
import { border } from '../../../build/test/lib/internal/border.js';
import { connect, listen } from '../../../build/test/lib/net/index.js';

let state = Number(process.argv[2]) >>> 0;
const records = Number(process.argv[3]);
const random = (below = 0x100000000) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((((state ^ (state >>> 13)) >>> 0) / 0x100000000) * below);
};
const word = () => [random(8), random(70_000), 0xffffffff - random(8), (1 << random(32)) >>> 0, random()][random(5)];

const SEND = 4;
const NOTIFY_DRAIN = 5;
const listener = await listen({ host: '127.0.0.1', data: (socket, chunk) => void socket.write(chunk), error() {} });
const honest = await connect({ host: '127.0.0.1', port: listener.port });
const stale = await connect({ host: '127.0.0.1', port: listener.port });
await stale.close();
const reserved = new Set([honest.handle]);

let victims = [];
let ended = 0;
async function newVictims() {
  victims = await Promise.all(
    Array.from({ length: 8 }, () =>
      connect({ host: '127.0.0.1', port: listener.port, data() {}, error() {}, close: () => ended++ }),
    ),
  );
}
await newVictims();

/** Never the honest socket by its own handle, nor its accepted end, which is not known: only wild words may name those. */
const handle = () => {
  const named = [victims[random(8)].handle, stale.handle, 0xffffffff - random(1000), (1 << 31) | random(1000)][
    random(4)
  ];
  return reserved.has(named) ? stale.handle : named;
};
const hostile = [
  () => border.submit(SEND, handle(), word(), word()),
  () => border.submit(SEND | 256, handle(), word(), word()),
  () => border.submit(SEND | (random(256) << 8), handle(), word(), word()),
  () => border.submit(SEND, listener.handle, 0, 64),
  () => border.submit(SEND, victims[random(8)].handle, 65_536 * random(256) + 65_500, 100),
  () => border.submit(SEND | 256, victims[random(8)].handle, 16_384 * random(1024), 16_384),
  // Not 11, Detach: nobody would close what it gives away.
  () => border.submit(12 + random(239), handle(), word(), word()),
  () => border.submit(NOTIFY_DRAIN, listener.handle, 0, 0),
  () => border.submit((5 + random(4)) | (random() & 0xffff0000), handle(), word(), word()),
];
let total = 0;
for (let i = 0; i < records; i++) {
  hostile[random(hostile.length)]();
  if (i % 30 !== 0) continue;
  const bytes = Buffer.alloc(1 + random(40_000), random(256));
  honest.write(bytes);
  const got = [];
  for (let left = bytes.length; left > 0; ) {
    const chunk = await honest.read();
    if (chunk === null) throw new Error('the honest socket was ended');
    got.push(chunk);
    left -= chunk.length;
  }
  if (!Buffer.concat(got).equals(bytes)) throw new Error('the honest socket got other bytes');
  total += bytes.length;
  if (victims.every((victim) => !victim.open)) await newVictims();
}
for (const victim of victims) victim.destroy();
await honest.close();
await listener.close();
const { faults, socketsOpen } = border.open().counters();
const outcome = total > 0 && ended > 0 ? 'reset or closed' : 'untouched';
console.log(JSON.stringify({ echo: 'unharmed', victims: outcome, faults, socketsOpen }));
