// The border under attack for a time, with everything behind it alive: TCP and Unix listeners, streams, UDP sockets and
// timers. Each turn writes half-valid and random submissions, datagram entries, cursors, offsets and lengths, and calls the
// addon's functions with half-valid arguments. That it gets to the end is the test. argv: seed, seconds.
//
// One worker after the other, each with a border of its own: after a while the handles of all that is open are lost among
// the records that were written over. Each is terminated with everything at work.
//
// Nothing leaves this machine: an entry's address is only ever a loopback one, whichever way its flags are read.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { RawBorder, RUNNABLE, SUBMISSION_TAIL, TIMER_ARM } from '../raw-border.mjs';

const ROUND_MS = 1000;

if (isMainThread) {
  const [seed, seconds] = process.argv.slice(2).map(Number);
  const endsMs = performance.now() + seconds * 1000;
  const total = {};
  for (let round = 0; performance.now() < endsMs; round++) {
    const worker = new Worker(new URL(import.meta.url), { workerData: { seed: (seed + round) >>> 0, round } });
    const ended = once(worker, 'exit');
    const [counts] = await once(worker, 'message');
    for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + count;
    await worker.terminate();
    await ended;
  }
  console.log(JSON.stringify(total));
} else {
  attackBorder();
}

function attackBorder() {
  let state = workerData.seed;
  const endsMs = performance.now() + ROUND_MS;
  function random(below = 0x100000000) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((((state ^ (state >>> 13)) >>> 0) / 0x100000000) * below);
  }
  const oneOf = (list) => list[random(list.length)];
  // What an attacker would try: small numbers, borders, and anything.
  const word = () => [random(8), random(70_000), 0xffffffff - random(8), (1 << random(32)) >>> 0, random()][random(5)];

  const SEND_DATAGRAM_WORDS = 9;
  const DATAGRAM_SENDS = 1024;
  const ADDRESSED = 1 << 17;
  const IPV6 = 1 << 16;
  const ACCEPT = 2;
  const CLOSED = 8;
  const OPEN_MAX = 400;
  const HANDLES_MAX = 200;

  const border = new RawBorder();
  const { addon, control, submissions, completions } = border;
  const io = addon.openIo();
  const udp = addon.openDatagrams();
  const sends = new Uint32Array(udp.sends);
  const receives = new Uint32Array(udp.receives);
  const sendCursors = new Uint32Array(udp.control);
  const shared = [io.sendBlockSegments, io.socketBytesSent, udp.queuedBytes].map((memory) => new Uint32Array(memory));

  const streams = [];
  const datagrams = [];
  const ports = [];
  let paths = 0;
  let adopted = 0;
  const seen = { completions: 0, accepted: 0, datagrams: 0 };

  function keep(list, handle) {
    if (handle < 0) return;
    list.push(handle);
    if (list.length > HANDLES_MAX)
      border.submit((list === streams ? 9 : 18) | 256, list.splice(random(list.length), 1)[0]);
  }

  const makers = [
    () => {
      const handle = addon.listen(oneOf(['127.0.0.1', '::1']), 0, 16, random(4), 0);
      if (handle < 0) return;
      keep(streams, handle);
      const name = addon.name(handle, false);
      if (typeof name === 'object') ports.push([name.address, name.port]);
      if (ports.length > 8) ports.shift();
    },
    () => keep(streams, addon.listen(`\0hostile-${process.pid}-${paths++ % 8}`, 0, 16, 4, random(0o1000))),
    () => keep(streams, addon.connect(`\0hostile-${process.pid}-${random(8)}`, 0, 4, '', 0)),
    () => ports.length > 0 && keep(streams, addon.connect(...oneOf(ports), 0, '', 0)),
    () =>
      ports.length > 0 && keep(streams, addon.connect(...oneOf(ports), random(8), oneOf(['', '127.0.0.1', 'x']), 0)),
    () => keep(datagrams, addon.bindDatagrams(oneOf(['127.0.0.1', '::1']), 0, random(8), 1 + random(65_535))),
    () => {
      const name = addon.datagramName(oneOf(datagrams) ?? 0, false);
      if (typeof name === 'object') addon.connectDatagrams(oneOf(datagrams), name.address, name.port);
    },
  ];
  /** A TypeError or RangeError for an argument is an answer, as is a code; anything else is not. */
  function attempt(deed) {
    try {
      deed();
    } catch (error) {
      if (!(error instanceof TypeError) && !(error instanceof RangeError) && error.code === undefined) throw error;
      refused++;
    }
  }
  let turns = 0;
  let refused = 0;
  for (let i = 0; i < 40; i++) attempt(makers[i % makers.length]);

  border.onRecord = (kind, handle, a, b) => {
    seen.completions++;
    if (kind === ACCEPT) {
      seen.accepted++;
      keep(streams, a);
    } else if (kind === 16) {
      seen.datagrams++;
    }
    const ended = kind === CLOSED ? streams.indexOf(handle) : -1;
    if (ended >= 0) streams.splice(ended, 1);
    if (kind === CLOSED && b > 3 && b < 2 ** 31) {
      // What was detached comes back. The number may be nonsense that an attack wrote into the ring.
      const again = addon.adopt(b - 1);
      if (again >= 0) adopted++;
      keep(streams, again);
    }
    // An echo, so that receive buffers are held.
    if (kind === 4 && random(2) === 0) border.submit(4 | 256, handle, a, b);
  };

  function submitHostile() {
    const at = (control[SUBMISSION_TAIL] & 4095) * 4;
    const toStream = random(4) > 0;
    const kind = random(20) === 0 ? word() : toStream ? (random(3) > 0 ? 4 : 1 + random(11)) : 16 + random(4);
    // Close and Detach are rare: what is closed has nothing left to attack.
    submissions[at] =
      ((kind === 9 || kind === 11) && random(4) > 0 ? 5 : kind) | (random(8) === 0 ? random(256) << 8 : 0);
    submissions[at + 1] = random(6) === 0 ? word() : (oneOf(toStream ? streams : datagrams) ?? 0);
    const sane = random(8) > 0;
    submissions[at + 2] = sane ? random(256) * 65_536 + random(3) * 64 : word();
    submissions[at + 3] = sane ? random(16_384) : word();
    if (kind === TIMER_ARM)
      border.values[at / 2 + 1] = oneOf([Number.NaN, -1, Infinity, addon.clock() + random(50), 1e300, 2 ** 63]);
    control[SUBMISSION_TAIL]++;
  }

  /** The address is loopback however it is read: as IPv6 it is ::1 or ::ffff:127.0.0.1, as IPv4 0.0.0.0 or 127.0.0.1. */
  function sendHostileDatagram() {
    const at = (sendCursors[1] & (DATAGRAM_SENDS - 1)) * SEND_DATAGRAM_WORDS;
    const sane = random(4) > 0;
    sends[at] = random(6) === 0 ? word() : (oneOf(datagrams) ?? 0);
    sends[at + 1] = sane ? random(60_000) : word();
    sends[at + 2] = sane ? random(1500) : word();
    const onlyIpv4 = random(3) > 0;
    const [, port] = ports.length > 0 ? oneOf(ports) : ['', random(65_536)];
    sends[at + 3] = oneOf([
      0,
      port | ADDRESSED,
      (word() & ~IPV6) | ADDRESSED,
      onlyIpv4 ? word() & ~IPV6 : port | IPV6 | ADDRESSED,
    ]);
    if ((sends[at + 3] & IPV6) === 0) sends.set([0x0100007f, 0, 0, 0], at + 4);
    else sends.set(random(2) === 0 ? [0, 0, 0, 0x01000000] : [0, 0, 0xffff0000, 0x0100007f], at + 4);
    sends[at + 8] = random(4) === 0 ? word() : 0;
    sendCursors[1]++;
  }

  /** Words of the entries that are no address and do not say how one is read. */
  function scribbleOverSends() {
    for (let i = random(500); i > 0; i--) sends[random(DATAGRAM_SENDS) * SEND_DATAGRAM_WORDS + random(3)] = word();
  }

  const memories = [new Uint8Array(100_000), new Uint8Array(0), new Uint16Array(1000), new ArrayBuffer(8), null];

  const attacks = [
    () => {
      for (let i = random(512); i > 0; i--) submissions[random(4096 * 4)] = word();
    },
    () => {
      for (let i = random(512); i > 0; i--) completions[random(4096 * 4)] = word();
    },
    () => {
      for (let i = random(500); i > 0; i--) receives[random(receives.length)] = word();
    },
    () => {
      const memory = oneOf(shared);
      for (let i = random(500); i > 0; i--) memory[random(memory.length)] = word();
    },
    () => {
      control[random(16)] = word();
    },
    () => {
      sendCursors[random(16)] = word();
    },
    scribbleOverSends,
    () => addon.flush(),
    () => addon.wake(),
    () => addon.setOption(oneOf(streams) ?? 0, 1 + random(8), random(70_000) - 1),
    () => addon.getOption(oneOf(streams) ?? 0, 1 + random(8)),
    () => addon.name(random(2) === 0 ? word() : (oneOf(streams) ?? 0), random(2) === 0),
    () => addon.send(random(2) === 0 ? word() : (oneOf(streams) ?? 0), oneOf(memories), random(200_000), word()),
    () => addon.send(oneOf(streams) ?? 0, oneOf(memories), random(1000), random(99_000)),
    () => addon.descriptor(oneOf(streams) ?? 0),
    () => addon.credentials(oneOf(streams) ?? 0),
    () => addon.datagramOption(oneOf(datagrams) ?? 0, 1 + random(7)),
    () => addon.datagramOption(oneOf(datagrams) ?? 0, 1 + random(6), random(70_000)),
    () =>
      addon.datagramMembership(
        oneOf(datagrams) ?? 0,
        random(2) === 0,
        oneOf(['239.1.2.3', 'ff01::7', 'x', '']),
        'lo',
        '',
      ),
    () => addon.datagramInterface(oneOf(datagrams) ?? 0, oneOf(['lo', 'nothing'])),
    () => addon.setTime(oneOf([0, 0, 1, 2]), random(100)),
    () =>
      addon.listen(
        oneOf(['', 'x', '::1', '\0']),
        random(70_000) % 65_536,
        word() % 65_536,
        random(16),
        random(0o10000),
      ),
    () => addon.adopt(oneOf([-1, 2 ** 31 - 1, 1_000_000 + random(1000)])),
    () => addon.connectDatagrams(oneOf(datagrams) ?? 0, oneOf(['127.0.0.1', '::1', 'x', '']), random(65_536)),
  ];

  function attack() {
    for (let i = random(64); i > 0; i--) submitHostile();
    for (let i = random(32); i > 0; i--) sendHostileDatagram();
    for (let i = random(4); i > 0; i--) attempt(oneOf(attacks));
    // Cursors that make no sense any more stop everything: now and then they are put right.
    if (random(8) === 0) {
      if ((control[3] - control[2]) >>> 0 > 4096) control[2] = control[3];
      if ((control[SUBMISSION_TAIL] - control[0]) >>> 0 > 4096) control[SUBMISSION_TAIL] = control[0];
      if ((sendCursors[1] - sendCursors[0]) >>> 0 > DATAGRAM_SENDS) sendCursors[1] = sendCursors[0];
    }
    control[RUNNABLE] = random(2);
    const { socketsOpen = 0, datagramSocketsOpen = 0 } = addon.counters();
    if (socketsOpen < OPEN_MAX) attempt(oneOf(makers.slice(0, 5)));
    else for (let i = 0; i < 16; i++) border.submit(9 | 256, streams.splice(random(streams.length), 1)[0] ?? 0);
    if (datagramSocketsOpen < OPEN_MAX) attempt(oneOf(makers.slice(5)));
    else for (let i = 0; i < 16; i++) border.submit(18 | 256, datagrams.splice(random(datagrams.length), 1)[0] ?? 0);
    turns++;
    if (performance.now() < endsMs) {
      setImmediate(attack);
      return;
    }
    parentPort.postMessage({ rounds: 1, turns, refused, adopted, ...seen, ...addon.counters() });
  }
  attack();
}
