/** How often the fake does what a kernel does seldom: probabilities from 0 to 1, asked at each occasion. */
export interface Faults {
  /** Timers that are due at the same time, and sockets in a turn, take turns in any order. */
  reorder: number;
  /** A due timer or a socket that could go on is left for the next turn. */
  delay: number;
  /** A receive gets only a part of what has arrived; the rest comes later. */
  split: number;
  /** Only a part of what can leave leaves. */
  partialSend: number;
  /** No receive buffer is left, for this turn. */
  outOfBuffers: number;
  /** ECONNRESET at a receive. */
  resetOnReceive: number;
  /** EPIPE at a send. */
  failOnSend: number;
  /** ECONNREFUSED at a connect, although somebody listens. */
  refuse: number;
  /** A datagram that was sent does not arrive. */
  loseDatagram: number;
  /** EMFILE at an accept, and at a connect. */
  outOfDescriptors: number;
}

/** What becomes of a connect to an address. */
export interface Route {
  /** The error, as a negative errno. Default: what the listeners there say. */
  error?: number;
  /** How long that takes; Infinity is a black hole. Default: it is known in the next turn. */
  delayMs?: number;
}

/** Undefined: as if there were no routes. */
export type Routes = (address: string, port: number) => Route | undefined;

export interface FakeOptions {
  /** Default: MILLRACE_FAKE_SEED, or a new one each time. */
  seed?: number;
  faults?: Partial<Faults>;
  /** Where the cursors of both rings start. Default: 0. */
  cursor?: number;
  /** What the clock shows at first, in milliseconds. */
  startMs?: number;
  /** How many receive buffers there are. Default: as many as natively. */
  receiveBuffers?: number;
  /** Sockets and listeners that may be open. */
  descriptors?: number;
  /** Bytes that fit between a sender and its receiver. */
  windowBytes?: number;
  /** Addresses that refuse, are slow or swallow everything. Default: none. */
  routes?: Routes;
  /** Called with each completion as it enters the ring. */
  onCompletion?: (kind: number, handle: number, a: number, b: number) => void;
}

export const NO_FAULTS: Faults = {
  reorder: 0,
  delay: 0,
  split: 0,
  partialSend: 0,
  outOfBuffers: 0,
  resetOnReceive: 0,
  failOnSend: 0,
  refuse: 0,
  loseDatagram: 0,
  outOfDescriptors: 0,
};

/** Everything that may happen without anything being broken. */
export const ROUGH: Faults = { ...NO_FAULTS, reorder: 1, delay: 0.2, split: 0.4, partialSend: 0.4, outOfBuffers: 0.1 };

/** Rough, and things break. */
export const BROKEN: Faults = {
  ...ROUGH,
  resetOnReceive: 0.02,
  failOnSend: 0.02,
  refuse: 0.1,
  loseDatagram: 0.05,
  outOfDescriptors: 0.05,
};
