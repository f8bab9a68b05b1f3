// The addon, in memory: the same two rings, the same tick (native/addon/tick.cc), on Node's immediates and on virtual
// time. Everything that a kernel leaves open is decided by a seed, so a run can be repeated exactly.
import { constants } from 'node:os';
import type { Addon, AddonInfo } from '../binding.js';
import { MillraceError, outOfRange } from '../errors.js';
import {
  COMPLETION_CAPACITY,
  COMPLETION_TIMER,
  CONTROL_AWAKE,
  CONTROL_RUNNABLE,
  CONTROL_TICKS,
  LISTEN_REUSE_PORT,
  SUBMISSION_DATAGRAM_READ,
  SUBMISSION_TIMER_ARM,
  SUBMISSION_TIMER_CANCEL,
  SUBMISSION_TIMER_REF,
  UNREF,
} from '../layout.js';
import { FakeDatagrams } from './datagrams.js';
import { type Address, addressOf } from './endpoint.js';
import { FakeNetwork } from './network.js';
import { type FakeOptions, type Faults, NO_FAULTS } from './options.js';
import { SeededRandom } from './random.js';
import { Rings, type Submission } from './rings.js';
import { newSeed, seedAsked } from './seeds.js';
import { getOption, setOption } from './socket-options.js';
import { applyToSocket } from './socket-submissions.js';
import { deadlineOf, FakeClock, FakeTimers } from './time.js';

const { errno } = constants;
const DEFAULT_START_MS = 1_000_000;
/** Node's longest delay: only there to keep the process alive. */
const FOREVER_MS = 2 ** 31 - 1;

const TIME_PAUSED = 1;
const TIME_ADVANCE = 2;

export class FakeAddon implements Addon {
  seed: number;
  readonly random: SeededRandom;
  readonly rings: Rings;
  readonly network: FakeNetwork;
  readonly datagrams: FakeDatagrams;
  readonly #clock: FakeClock;
  readonly #timers = new FakeTimers();
  readonly #onCompletion: FakeOptions['onCompletion'];
  #drain: (() => void) | null = null;
  #turnComes = false;
  #keepAlive: NodeJS.Timeout | null = null;
  #turns = 0;
  #calls = 0;

  constructor(options: FakeOptions = {}) {
    this.seed = options.seed ?? seedAsked() ?? newSeed();
    this.random = new SeededRandom(this.seed);
    this.rings = new Rings(options.cursor ?? 0);
    this.#clock = new FakeClock(options.startMs ?? DEFAULT_START_MS);
    this.#onCompletion = options.onCompletion;
    const push = (kind: number, handle: number, a = 0, b = 0): boolean => this.#push(kind, handle, a, b);
    this.network = new FakeNetwork(push, this.random, this.#clock, options, () => this.rings.room > 0);
    this.datagrams = new FakeDatagrams(push, () => this.rings.room > 0, this.random, this.network);
  }

  /** Begins another schedule, for a process that runs many; whatever is alive lives on. */
  reseed(seed: number, faults: Partial<Faults> = this.network.faults): void {
    this.seed = seed;
    this.random.reseed(seed);
    this.network.faults = { ...NO_FAULTS, ...faults };
    this.#clock.toWholeMs();
  }

  open(
    _options: unknown,
    drain: () => void,
  ): { control: ArrayBuffer; submissions: ArrayBuffer; completions: ArrayBuffer } {
    if (this.#drain !== null) throw new MillraceError('ERR_MILLRACE_INVALID_STATE', 'The addon is already open');
    this.#drain = drain;
    const { control, submissions, completions } = this.rings;
    return { control: control.buffer as ArrayBuffer, submissions, completions };
  }

  flush(): void {
    this.#takeSubmissions();
  }

  wake(): void {
    this.rings.control[CONTROL_AWAKE] = 1;
    if (this.#keepAlive !== null) clearInterval(this.#keepAlive);
    this.#keepAlive = null;
    if (this.#turnComes) return;
    this.#turnComes = true;
    setImmediate(() => this.#turn());
  }

  clock(): number {
    return this.#clock.nowMs;
  }

  openIo(): FakeNetwork['arenas'] {
    return this.network.arenas;
  }

  listen(address: string, port: number, _backlog: number, flags: number, _mode: number): number {
    this.wake();
    return this.network.listen(addressOf(address, port, flags), (flags & LISTEN_REUSE_PORT) !== 0);
  }

  connect(address: string, port: number, flags: number, localAddress: string, localPort: number): number {
    this.wake();
    return this.network.connect(addressOf(address, port, flags), localAddress, localPort);
  }

  /** Of what another socket of this fake gave away by Detach; real descriptors are not sockets here. */
  adopt(fd: number): number {
    this.wake();
    return this.network.adopt(fd);
  }

  /** All goes by way of the arena here. */
  send(): number {
    return 0;
  }

  descriptor(handle: number): number {
    return this.network.lookup(handle) === undefined ? -errno.EBADF : -errno.ENOTSUP;
  }

  setOption(handle: number, option: number, value: number): number {
    return setOption(this.network.lookup(handle), option, value);
  }

  getOption(handle: number, option: number): number {
    return getOption(this.network.lookup(handle), option);
  }

  credentials(handle: number): { pid: number; uid: number; gid: number } | number {
    const socket = this.network.lookup(handle);
    if (socket === undefined) return -errno.EBADF;
    if (socket.isListener || socket.target.family !== 'Unix') return -errno.ENOTSUP;
    return { pid: process.pid, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  }

  name(handle: number, peer: boolean): Address | number {
    return this.network.name(handle, peer);
  }

  openDatagrams(): FakeDatagrams['memory'] {
    return this.datagrams.memory;
  }

  bindDatagrams(address: string, port: number, flags: number, bytesMax: number): number {
    this.wake();
    return this.datagrams.bind(address, port, flags, bytesMax);
  }

  connectDatagrams(handle: number, address: string, port: number): number {
    return this.datagrams.connect(handle, address, port);
  }

  datagramName(handle: number, peer: boolean): Address | number {
    return this.datagrams.name(handle, peer);
  }

  datagramOption(handle: number, option: number, value?: number): number {
    return this.datagrams.option(handle, option, value);
  }

  datagramMembership(handle: number, join: boolean, group: string): number {
    return this.datagrams.membership(handle, join, group);
  }

  datagramInterface(): number {
    return 0;
  }

  /** Mode 0 is what the fake has for real time: it passes as fast as the work allows. */
  setTime(mode: number, ms: number): void {
    this.wake();
    if (mode !== TIME_ADVANCE) this.#clock.autoAdvance = mode !== TIME_PAUSED;
    else if (!(ms >= 0) || !this.#clock.advance(ms)) throw outOfRange('ms', 'from 0 to 9223372036854', ms);
  }

  info(): AddonInfo {
    return { backend: 'fake', seed: this.seed, socketsMax: 0, timerResolutionUs: 0.001 };
  }

  counters(): Record<string, number> {
    return {
      loopTurns: this.#turns,
      calls: this.#calls,
      completions: this.rings.pushed,
      submissions: this.rings.drained,
      faults: this.rings.faults,
      receiveBuffersInUse: this.network.arenas.buffersInUse,
      timersArmed: this.#timers.armed,
      timersReferenced: this.#timers.referenced,
      timersFired: this.#timers.fired,
      socketsOpen: this.network.sockets.live().length,
      datagramSocketsOpen: this.datagrams.sockets.live().length,
    };
  }

  /** One turn of the loop: what prepare decides, then what check does. */
  #turn(): void {
    this.#turnComes = false;
    this.#turns++;
    this.#takeSubmissions();
    const earliestNs = Math.min(this.#timers.earliestNs(), this.network.earliestNs);
    if (!this.#isReady() && !this.#clock.step(earliestNs) && !this.#clock.hasTarget) {
      this.#block();
      return;
    }
    this.#fireTimers(COMPLETION_CAPACITY / 2);
    this.network.turn();
    this.datagrams.turn();
    this.#fireTimers(COMPLETION_CAPACITY);
    // Microtasks run when this immediate is over, and then comes the next turn.
    this.wake();
    const { control } = this.rings;
    if (this.rings.completionsEmpty && control[CONTROL_RUNNABLE] === 0) return;
    control[CONTROL_TICKS] = (control[CONTROL_TICKS] as number) + 1;
    this.#calls++;
    try {
      (this.#drain as () => void)();
    } finally {
      this.#takeSubmissions();
      if (this.rings.completionsEmpty) {
        this.network.releaseDelivered();
        this.datagrams.releaseDelivered();
      }
    }
  }

  #isReady(): boolean {
    return (
      this.network.busy ||
      this.datagrams.busy ||
      this.rings.control[CONTROL_RUNNABLE] !== 0 ||
      !this.rings.completionsEmpty ||
      !this.rings.submissionsEmpty ||
      this.#timers.earliestNs() <= this.#clock.nowNs
    );
  }

  /** Nothing to do until somebody calls wake. With Awake 0 every submission does. */
  #block(): void {
    this.rings.control[CONTROL_AWAKE] = 0;
    if (this.#timers.referenced > 0 || this.network.keepsAlive || this.datagrams.keepsAlive)
      this.#keepAlive = setInterval(() => {}, FOREVER_MS);
  }

  #fireTimers(limit: number): void {
    const { faults } = this.network;
    let most = Math.min(limit, this.rings.room);
    // At least one fires: a delayed timer must not stop the world.
    if (this.random.chance(faults.delay)) most = Math.min(most, 1 + this.random.below(8));
    const due = this.#timers.takeDue(this.#clock.nowNs, most);
    if (this.random.chance(faults.reorder)) this.random.shuffle(due);
    for (const slot of due) this.#push(COMPLETION_TIMER, slot, 0, 0);
    this.#timers.fired += due.length;
  }

  #push(kind: number, handle: number, a: number, b: number): boolean {
    if (!this.rings.push(kind, handle, a, b)) return false;
    this.#onCompletion?.(kind, handle, a, b);
    return true;
  }

  #takeSubmissions(): void {
    this.rings.addFaults(this.datagrams.takeSends());
    this.rings.drain((record) => this.#apply(record));
  }

  #apply(record: Submission): boolean {
    const { handle } = record;
    switch (record.head & 0xff) {
      case SUBMISSION_TIMER_ARM:
        return this.#timers.arm(handle, deadlineOf(record.value), (record.head & UNREF) === 0);
      case SUBMISSION_TIMER_CANCEL:
        return this.#timers.cancel(handle);
      case SUBMISSION_TIMER_REF:
        return record.a <= 1 && this.#timers.setReferenced(handle, record.a === 1);
      default:
        if ((record.head & 0xff) >= SUBMISSION_DATAGRAM_READ) return this.datagrams.apply(record);
        return applyToSocket(this.network, record);
    }
  }
}
