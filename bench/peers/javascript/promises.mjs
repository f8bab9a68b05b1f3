// The compute workloads with what Node and Bun bring: promises, setTimeout, setImmediate, AbortController. Each takes N
// and gives the checksum that every runtime must arrive at.
import { boundedQueue } from './bounded-queue.mjs';
import { nextYield } from './next-yield.mjs';

const WINDOW = 1_000;
const YIELDING_TASKS = 100;
const CHANNEL_CAPACITY = 1_024;
const HOUR_MS = 3_600_000;

// The only yield that lets the event loop on: a bare `await` runs microtasks and starves timers and I/O.
const yieldNow = () =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

const sleep = (delayMs) =>
  new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });

/** Starts tasks until WINDOW of them are held, waits for them all, and goes on: n in all. */
async function windows(n, task) {
  let checksum = 0;
  for (let first = 0; first < n; first += WINDOW) {
    const count = Math.min(WINDOW, n - first);
    const handles = new Array(count);
    for (let k = 0; k < count; k++) handles[k] = task(first + k);
    for (const result of await Promise.all(handles)) checksum += result;
  }
  return checksum;
}

// A double holds every sum here exactly (the largest is below 2^43), so Number is the fast 64-bit sum. The additions
// between two yields are a loop of their own: see "Loops that suspend" in ../README.md.
async function schedulingTask(i) {
  let sum = 0;
  for (let j = 0; j < 1_000; ) {
    const last = nextYield(j);
    for (; j <= last; j++) sum += i + j;
    if (last % 100 === 0) await yieldNow();
  }
  return sum;
}

async function ioTask(i) {
  const nanoseconds = 1 + (i % 1_000);
  await sleep(nanoseconds / 1e6);
  return nanoseconds;
}

async function allocationTask(i) {
  const length = 1_024 + (i % 4_096);
  const buffer = Buffer.alloc(length);
  // Both ends must be zero when the buffer comes, and are dirty when it goes.
  const found = buffer[0] + buffer[length - 1];
  buffer[0] = 255;
  buffer[length - 1] = 255;
  return length + found;
}

async function emptyTask() {
  return 1;
}

async function yieldingTask(times) {
  let done = 0;
  while (done < times) {
    await yieldNow();
    done++;
  }
  return done;
}

async function channel(n) {
  const queue = boundedQueue(CHANNEL_CAPACITY);
  const produce = async () => {
    for (let i = 0; i < n; i++) await queue.push(i);
  };
  const consume = async () => {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += await queue.shift();
    return sum;
  };
  const [, sum] = await Promise.all([produce(), consume()]);
  return sum;
}

/** N sleeps of 1..100 ms, all at once. */
async function timer(n) {
  const task = async (i) => {
    const delayMs = 1 + (i % 100);
    await sleep(delayMs);
    return delayMs;
  };
  const handles = new Array(n);
  for (let i = 0; i < n; i++) handles[i] = task(i);
  let checksum = 0;
  for (const result of await Promise.all(handles)) checksum += result;
  return checksum;
}

function cancellableSleep(delayMs, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** N tasks that sleep for an hour; each is aborted by its own controller, and all are joined. */
async function cancel(n) {
  let started = 0;
  const task = async (signal) => {
    started++;
    await cancellableSleep(HOUR_MS, signal);
  };
  const controllers = new Array(n);
  const handles = new Array(n);
  for (let i = 0; i < n; i++) {
    controllers[i] = new AbortController();
    handles[i] = task(controllers[i].signal);
  }
  while (started < n) await yieldNow();
  // Join first, so that no rejection is unhandled.
  const joined = Promise.allSettled(handles);
  for (const controller of controllers) controller.abort();
  let cancelled = 0;
  for (const result of await joined) {
    if (result.status === 'rejected' && result.reason.name === 'AbortError') cancelled++;
  }
  return cancelled;
}

export const workloads = {
  scheduling: (n) => windows(n, schedulingTask),
  io: (n) => windows(n, ioTask),
  allocation: (n) => windows(n, allocationTask),
  spawn: (n) => windows(n, emptyTask),
  yield: (n) => windows(YIELDING_TASKS, () => yieldingTask(n / YIELDING_TASKS)),
  channel,
  timer,
  cancel,
};
