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

// UDP: sockets that send to each other through the table that this writes nonsense into. Nothing leaves the machine:
// from a socket bound to 127.0.0.1 the kernel refuses every other network.
const udp = addon.openDatagrams();
const sends = new Uint32Array(udp.sends);
const cursors = new Uint32Array(udp.control);
const udpHandles = [];
const bindUdp = () => {
  const handle = addon.bindDatagrams('127.0.0.1', 0, 0, 1 + random(65_535));
  if (handle >= 0) udpHandles.push(handle);
  if (udpHandles.length > 16) udpHandles.shift();
};
const attackUdp = () => {
  if (random(64) === 0 || udpHandles.length === 0) bindUdp();
  const { port } = addon.datagramName(udpHandles[random(udpHandles.length)], false);
  for (let i = random(32); i > 0; i--) {
    const at = (cursors[1] & 1023) * 9;
    for (let j = 0; j < 9; j++) sends[at + j] = random(8) === 0 ? word() : 0;
    if (random(16) !== 0) sends[at] = udpHandles[random(udpHandles.length)];
    if (random(8) !== 0) sends[at + 1] = random(1 << 20);
    if (random(8) !== 0) sends[at + 2] = random(4) === 0 ? random(66_000) : random(200);
    if (random(4) !== 0) sends[at + 3] = (port ?? 9) | (1 << 17);
    if (random(4) !== 0) sends[at + 4] = 0x0100007f;
    cursors[1]++;
  }
  if (random(50) === 0) cursors[random(16)] = word();
  if (random(50) === 0) for (let i = random(1024); i > 0; i--) sends[random(1024 * 9)] = word();
  if (random(20) === 0) new Uint32Array(udp.receives)[random(1024 * 9)] = word();
  if (random(20) === 0) new Uint32Array(udp.queuedBytes)[random(1 << 16)] = word();
  if (random(10) === 0) {
    const index = control[SUBMISSION_TAIL] & 4095;
    border.submissions[index * 4] = 16 + random(5) + (random(4) === 0 ? 1024 : 0);
    border.submissions[index * 4 + 1] = random(4) === 0 ? word() : udpHandles[random(udpHandles.length)];
    border.submissions[index * 4 + 2] = random(4) === 0 ? word() : random(2);
    control[SUBMISSION_TAIL]++;
  }
  if (random(20) === 0) addon.connectDatagrams(udpHandles[random(udpHandles.length)], '127.0.0.1', 1 + random(65_535));
};

let turn = 0;
const attack = () => {
  if (turn % 256 === 255) listen(); // the last one may have been closed by nonsense
  if (turn % 4 === 0) {
    const handle = addon.connect('127.0.0.1', port, 0, '', 0);
    if (handle >= 0) handles.push(handle);
  }
  attackUdp();
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
