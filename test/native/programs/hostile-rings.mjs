// Writes nonsense into the rings and the control words at every turn of the loop, with live sockets and timers behind
// them. Says how many faults were counted; that it gets there at all is the test. argv: seed, turns.
import { COMPLETION_HEAD, RawBorder, RUNNABLE, SUBMISSION_TAIL } from '../raw-border.mjs';

let state = Number(process.argv[2]) >>> 0;
const turns = Number(process.argv[3]);
const random = (below = 0x100000000) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((((state ^ (state >>> 13)) >>> 0) / 0x100000000) * below);
};
// What an attacker would try: small numbers, borders, and anything.
const word = () => [random(8), random(70_000), 0xffffffff - random(8), (1 << random(32)) >>> 0, random()][random(5)];

const border = new RawBorder();
const { addon, control } = border;
addon.openIo();
const handles = [];
let port = 0;
const listen = () => {
  const listener = addon.listen('127.0.0.1', 0, 16, 0, 0);
  if (listener < 0) return;
  port = addon.name(listener, false).port;
  handles.push(listener);
};
listen();
border.onRecord = (kind, handle, a, b) => {
  if (kind === 2) handles.push(a);
  // What was detached comes back; the number may be nonsense that an attack wrote into the ring, but
  // stdin, stdout and stderr are spared.
  if (kind === 8 && b > 3 && b < 2 ** 31) {
    const again = addon.adopt(b - 1);
    if (again >= 0) handles.push(again);
  } else if (handle !== undefined) handles.push(handle);
  if (handles.length > 64) handles.splice(1, 32);
};

let turn = 0;
const attack = () => {
  if (turn % 256 === 255) listen(); // the last one may have been closed by nonsense
  if (turn % 4 === 0) {
    const handle = addon.connect('127.0.0.1', port, 0, '', 0);
    if (handle >= 0) handles.push(handle);
  }
  for (let i = random(64); i > 0; i--) {
    const index = control[SUBMISSION_TAIL] & 4095;
    // Mostly sends, for a closed socket has nothing left to attack.
    const kind = random(20) === 0 ? word() : random(3) > 0 ? 4 : 1 + random(random(8) === 0 ? 11 : 7);
    border.submissions[index * 4] = (kind | (random(8) === 0 ? random(256) << 8 : 0)) >>> 0;
    border.submissions[index * 4 + 1] = random(3) === 0 ? word() : handles[random(handles.length)];
    const sane = random(16) !== 0;
    border.submissions[index * 4 + 2] = sane ? random(256) * 65_536 : word();
    border.submissions[index * 4 + 3] = sane ? random(16_384) : word();
    if (kind === 1)
      border.values[index * 2 + 1] = [Number.NaN, -1, Infinity, addon.clock() + random(50), 1e300][random(5)];
    control[SUBMISSION_TAIL]++;
  }
  if (random(20) === 0) for (let i = random(4096 * 4); i > 0; i--) border.submissions[random(4096 * 4)] = word();
  if (random(20) === 0) for (let i = random(4096 * 4); i > 0; i--) border.completions[random(4096 * 4)] = word();
  if (random(10) === 0) control[random(16)] = word();
  if (random(5) === 0) control[COMPLETION_HEAD] = control[random(2) === 0 ? 3 : 2];
  control[RUNNABLE] = random(2);
  if (random(10) === 0) addon.flush();
  const some = handles[random(handles.length)] ?? 0;
  if (random(4) === 0) addon.setOption(some, 1 + random(8), random(70_000) - 1);
  if (random(4) === 0) for (const ask of ['descriptor', 'credentials']) addon[ask](some);
  if (random(4) === 0) addon.getOption(some, 1 + random(8));
  if (random(10) === 0) addon.wake();
  turn++;
  if (turn < turns) {
    setImmediate(attack);
  } else {
    console.log(JSON.stringify({ turns: turn, ...addon.counters() }));
    process.exit(0);
  }
};
attack();
