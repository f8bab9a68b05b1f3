// The compute workloads in generator functions. Each takes N and gives the checksum that every runtime must arrive at.
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
function* windows(n, task) {
  let checksum = 0;
  for (let first = 0; first < n; first += WINDOW) {
    const count = Math.min(WINDOW, n - first);
    const handles = new Array(count);
    for (let k = 0; k < count; k++) handles[k] = spawn(task(first + k));
    for (const result of yield* all(handles)) checksum += result;
  }
  return checksum;
}

// A double holds every sum here exactly (the largest is below 2^43), so Number is the fast 64-bit sum. The additions
// between two yields are a loop of their own: see "Loops that suspend" in ../README.md.
function* schedulingTask(i) {
  let sum = 0;
  for (let j = 0; j < 1_000; ) {
    const last = nextYield(j);
    for (; j <= last; j++) sum += i + j;
    if (last % 100 === 0) yield;
  }
  return sum;
}

function* ioTask(i) {
  const nanoseconds = 1 + (i % 1_000);
  yield* sleep(nanoseconds / 1e6);
  return nanoseconds;
}

// biome-ignore lint/correctness/useYield: an allocation has nothing to wait for, and is a task all the same
function* allocationTask(i) {
  const length = 1_024 + (i % 4_096);
  const buffer = pool.acquire(length);
  const { bytes } = buffer;
  // Both ends must be zero when the buffer comes, and are dirty when it goes.
  const found = bytes[0] + bytes[length - 1];
  bytes[0] = 255;
  bytes[length - 1] = 255;
  buffer.release();
  return length + found;
}

// biome-ignore lint/correctness/useYield: an empty task
function* emptyTask() {
  return 1;
}

function* yieldingTask(times) {
  let done = 0;
  while (done < times) {
    yield;
    done++;
  }
  return done;
}

function* produce(sender, n) {
  for (let i = 0; i < n; i++) yield* sender.send(i);
}

function* consume(receiver, n) {
  let sum = 0;
  for (let k = 0; k < n; k++) sum += yield* receiver.recv();
  return sum;
}

function* sendAndReceive(n) {
  const [sender, receiver] = channel(CHANNEL_CAPACITY);
  const producer = spawn(produce(sender, n));
  const consumer = spawn(consume(receiver, n));
  yield* producer;
  return yield* consumer;
}

function* timerTask(i) {
  const delayMs = 1 + (i % 100);
  yield* sleep(delayMs);
  return delayMs;
}

/** N sleeps of 1..100 ms, all at once. */
function* timer(n) {
  const handles = new Array(n);
  for (let i = 0; i < n; i++) handles[i] = spawn(timerTask(i));
  let checksum = 0;
  for (const result of yield* all(handles)) checksum += result;
  return checksum;
}

function* sleeper(counter) {
  counter.started++;
  yield* sleep(HOUR_MS);
}

/** N tasks that sleep for an hour; once all are asleep each one is aborted, and all are joined. */
function* cancel(n) {
  const counter = { started: 0 };
  const handles = new Array(n);
  for (let i = 0; i < n; i++) handles[i] = spawn(sleeper(counter));
  while (counter.started < n) yield* yieldNow();
  for (const handle of handles) handle.abort();
  let cancelled = 0;
  for (const handle of handles) {
    try {
      yield* handle;
    } catch (error) {
      if (error.code === 'ABORT_ERR') cancelled++;
    }
  }
  return cancelled;
}

// The driver is itself a fiber, as it would be in a program of fibers.
export const workloads = {
  scheduling: (n) => spawn(windows(n, schedulingTask)),
  io: (n) => spawn(windows(n, ioTask)),
  allocation: (n) => spawn(windows(n, allocationTask)),
  spawn: (n) => spawn(windows(n, emptyTask)),
  yield: (n) => spawn(windows(YIELDING_TASKS, () => yieldingTask(n / YIELDING_TASKS))),
  channel: (n) => spawn(sendAndReceive(n)),
  timer: (n) => spawn(timer(n)),
  cancel: (n) => spawn(cancel(n)),
};
