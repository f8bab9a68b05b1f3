// The compute workloads in async functions. Each takes N and gives the checksum that every runtime must arrive at.
import { all, sleep, spawn, yieldNow } from 'millrace';
import { BufferPool } from 'millrace/buffer';
import { channel } from 'millrace/sync';
import { nextYield } from '../javascript/next-yield.mjs';

const WINDOW = 1_000;
const YIELDING_TASKS = 100;
const CHANNEL_CAPACITY = 1_024;
const HOUR_MS = 3_600_000;

const pool = new BufferPool();

/** Spawns until WINDOW handles are held, joins them all, and goes on: n tasks in all. */
async function windows(n, start) {
  let checksum = 0;
  for (let first = 0; first < n; first += WINDOW) {
    const count = Math.min(WINDOW, n - first);
    const handles = new Array(count);
    for (let k = 0; k < count; k++) handles[k] = start(first + k);
    for (const result of await all(handles)) checksum += result;
  }
  return checksum;
}

// A double holds every sum here exactly (the largest is below 2^43), so Number is the fast 64-bit sum. The additions
// between two yields are a loop of their own: see "Loops that suspend" in ../README.md.
const startScheduling = (i) =>
  spawn(async () => {
    let sum = 0;
    for (let j = 0; j < 1_000; ) {
      const last = nextYield(j);
      for (; j <= last; j++) sum += i + j;
      if (last % 100 === 0) await yieldNow();
    }
    return sum;
  });

const startIo = (i) =>
  spawn(async () => {
    const nanoseconds = 1 + (i % 1_000);
    await sleep(nanoseconds / 1e6);
    return nanoseconds;
  });

const startAllocation = (i) =>
  spawn(async () => {
    const length = 1_024 + (i % 4_096);
    const buffer = pool.acquire(length);
    const { bytes } = buffer;
    // Both ends must be zero when the buffer comes, and are dirty when it goes.
    const found = bytes[0] + bytes[length - 1];
    bytes[0] = 255;
    bytes[length - 1] = 255;
    buffer.release();
    return length + found;
  });

const startEmpty = () => spawn(async () => 1);

const startYielding = (times) =>
  spawn(async () => {
    let done = 0;
    while (done < times) {
      await yieldNow();
      done++;
    }
    return done;
  });

async function sendAndReceive(n) {
  const [sender, receiver] = channel(CHANNEL_CAPACITY);
  const producer = spawn(async () => {
    for (let i = 0; i < n; i++) await sender.send(i);
  });
  const consumer = spawn(async () => {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += await receiver.recv();
    return sum;
  });
  await producer;
  return consumer;
}

/** N sleeps of 1..100 ms, all at once. */
async function timer(n) {
  const start = (i) =>
    spawn(async () => {
      const delayMs = 1 + (i % 100);
      await sleep(delayMs);
      return delayMs;
    });
  const handles = new Array(n);
  for (let i = 0; i < n; i++) handles[i] = start(i);
  let checksum = 0;
  for (const result of await all(handles)) checksum += result;
  return checksum;
}

/** N tasks that sleep for an hour; once all are asleep each one is aborted, and all are joined. */
async function cancel(n) {
  let started = 0;
  const handles = new Array(n);
  for (let i = 0; i < n; i++) {
    handles[i] = spawn(async () => {
      started++;
      await sleep(HOUR_MS);
    });
  }
  while (started < n) await yieldNow();
  for (const handle of handles) handle.abort();
  let cancelled = 0;
  for (const handle of handles) {
    try {
      await handle;
    } catch (error) {
      if (error.code === 'ABORT_ERR') cancelled++;
    }
  }
  return cancelled;
}

export const workloads = {
  scheduling: (n) => windows(n, startScheduling),
  io: (n) => windows(n, startIo),
  allocation: (n) => windows(n, startAllocation),
  spawn: (n) => windows(n, startEmpty),
  yield: (n) => windows(YIELDING_TASKS, () => startYielding(n / YIELDING_TASKS)),
  channel: sendAndReceive,
  timer,
  cancel,
};
