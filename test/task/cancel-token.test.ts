import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  CancelToken,
  interval,
  metrics,
  now,
  scope,
  sleep,
  sleepUntil,
  spawn,
  TimeoutError,
  timeout,
} from '../../lib/index.js';
import { advance, pauseTime, resumeTime } from '../../lib/test/index.js';

beforeEach(() => pauseTime({ autoAdvance: false }));
afterEach(() => resumeTime());

describe('a tree of tokens', () => {
  test('cancelling reaches children and grandchildren, never the parent or siblings', () => {
    const root = new CancelToken();
    const left = root.child();
    const right = root.child();
    const leaf = left.child();
    left.cancel('left');
    expect([root, left, right, leaf].map((token) => token.cancelled)).toEqual([false, true, false, true]);
    expect(leaf.reason).toBe(left.reason);
    expect(leaf.reason).toMatchObject({ name: 'AbortError', cause: 'left' });
    root.cancel('root');
    expect(right.reason).toMatchObject({ cause: 'root' });
    expect(left.reason).toMatchObject({ cause: 'left' });
  });

  test('the first reason counts', () => {
    const token = new CancelToken();
    token.cancel('first');
    token.cancel('second');
    expect(token.reason).toMatchObject({ cause: 'first' });
  });

  test('a child of a cancelled token is cancelled', () => {
    const token = new CancelToken();
    token.cancel();
    expect(token.child().cancelled).toBe(true);
    expect(() => token.child().throwIfCancelled()).toThrow(expect.objectContaining({ code: 'ABORT_ERR' }));
    expect(token.child().signal.aborted).toBe(true);
  });

  test('signal is one AbortSignal, aborted with the token, also for a child of which nobody listened', () => {
    const root = new CancelToken();
    const child = root.child().child();
    const { signal } = child;
    expect(child.signal).toBe(signal);
    root.cancel('why');
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe(root.reason);
  });

  test('a foreign signal cancels it, with its reason', () => {
    const controller = new AbortController();
    const token = new CancelToken({ signal: controller.signal });
    const child = token.child();
    controller.abort('foreign');
    expect(child.reason).toMatchObject({ cause: 'foreign' });
    expect(new CancelToken({ signal: controller.signal }).cancelled).toBe(true);
  });

  test('a listener that throws in an AbortSignal does not stop the others', async () => {
    const token = new CancelToken();
    const slept = sleep(1000, { signal: token });
    expect(token.signal.aborted).toBe(false);
    const other = sleep(1000, { signal: token.child() });
    token.cancel();
    await expect(slept).rejects.toThrow();
    await expect(other).rejects.toThrow();
  });
});

describe('deadlines', () => {
  test('cancel with a TimeoutError, at their time and not before', async () => {
    const token = new CancelToken({ timeoutMs: 100 });
    expect(token.deadlineMs).toBe(now() + 100);
    await advance(99.999);
    expect(token.cancelled).toBe(false);
    await advance(0.001);
    expect(token.reason).toBeInstanceOf(TimeoutError);
  });

  test('a child inherits the earlier one', async () => {
    const start = now();
    const root = new CancelToken({ timeoutMs: 100 });
    expect(root.child().deadlineMs).toBe(start + 100);
    expect(root.child({ timeoutMs: 500 }).deadlineMs).toBe(start + 100);
    expect(root.child({ timeoutMs: 50 }).deadlineMs).toBe(start + 50);
    expect(root.child({ timeoutMs: 70, deadlineMs: start + 60 }).deadlineMs).toBe(start + 60);
    const late = sleep(1000, { signal: root.child({ timeoutMs: 500 }) });
    await advance(100);
    await expect(late).rejects.toBeInstanceOf(TimeoutError);
  });

  test('dispose lets go of the timer; the token never fires', async () => {
    const { timersPending } = metrics();
    const token = new CancelToken({ timeoutMs: 100 });
    expect(metrics().timersPending).toBe(timersPending + 1);
    token.dispose();
    expect(metrics().timersPending).toBe(timersPending);
    await advance(200);
    expect(token.cancelled).toBe(false);
    {
      using disposed = new CancelToken({ timeoutMs: 100 });
      void disposed;
    }
    expect(metrics().timersPending).toBe(timersPending);
  });

  test('cancelling lets go of the timer', () => {
    const { timersPending } = metrics();
    new CancelToken({ timeoutMs: 100 }).cancel();
    expect(metrics().timersPending).toBe(timersPending);
  });

  test('a token with a deadline whose foreign signal cancels it lets go of the timer', () => {
    const { timersPending } = metrics();
    const controller = new AbortController();
    const token = new CancelToken({ timeoutMs: 100, signal: controller.signal });
    controller.abort();
    expect([token.cancelled, metrics().timersPending]).toEqual([true, timersPending]);
  });

  test.each([
    [{ timeoutMs: Number.NaN }, /options\.timeoutMs/],
    [{ timeoutMs: '5' }, /options\.timeoutMs/],
    [{ deadlineMs: -1 }, /options\.deadlineMs/],
    [{ signal: 5 }, /options\.signal/],
    [{ signal: null }, /options\.signal/],
    [null, /options/],
  ])('%o is refused', (options, message) => {
    expect(() => new CancelToken(options as never)).toThrow(message);
  });
});

describe('every operation takes a CancelToken or an AbortSignal', () => {
  const operations: [string, (signal: CancelToken | AbortSignal) => PromiseLike<unknown>][] = [
    ['sleep', (signal) => sleep(1000, { signal })],
    ['sleepUntil', (signal) => sleepUntil(now() + 1000, { signal })],
    ['timeout', (signal) => timeout(500, () => sleep(1000), { signal })],
    ['scope', (signal) => scope((tasks) => void tasks.spawn(() => sleep(1000)), { signal })],
    [
      'interval.tick',
      (signal) => {
        const every = interval(1000, { signal });
        return every.tick().then(() => every.tick());
      },
    ],
  ];
  test.each(operations)('%s', async (_, start) => {
    const { timersPending } = metrics();
    const token = new CancelToken();
    const byToken = start(token);
    const controller = new AbortController();
    const bySignal = start(controller.signal);
    for (let i = 0; i < 10; i++) await Promise.resolve();
    token.cancel('t');
    controller.abort('s');
    await expect(byToken).rejects.toMatchObject({ code: 'ABORT_ERR', cause: 't' });
    await expect(bySignal).rejects.toMatchObject({ code: 'ABORT_ERR', cause: 's' });
    expect(metrics().timersPending).toBe(timersPending);
    await expect(Promise.resolve().then(() => start(controller.signal))).rejects.toMatchObject({ cause: 's' });
    await expect(Promise.resolve().then(() => start(token))).rejects.toMatchObject({ cause: 't' });
    expect(() => void start('no' as never)).toThrow(TypeError);
    expect(metrics().timersPending).toBe(timersPending);
  });
});

describe('no leak for each child', () => {
  test('children, sleeps and timeouts that end leave nothing with a long-lived parent', async () => {
    const controller = new AbortController();
    const root = new CancelToken({ signal: controller.signal });
    expect(getEventListeners(controller.signal, 'abort').length).toBe(1);
    for (let i = 0; i < 100; i++) {
      const child = root.child();
      const slept = sleep(1, { signal: child });
      const foreign = sleep(1, { signal: controller.signal });
      await advance(1);
      await Promise.all([slept, foreign]);
      void root.child().signal;
    }
    expect(getEventListeners(controller.signal, 'abort').length).toBe(1);
    root.dispose();
    expect(getEventListeners(controller.signal, 'abort').length).toBe(0);
  });

  test('a token that is cancelled lets go of the foreign signal (listener kept after cancel)', () => {
    const controller = new AbortController();
    new CancelToken({ signal: controller.signal }).cancel();
    expect(getEventListeners(controller.signal, 'abort').length).toBe(0);
  });

  test('scopes that end leave nothing with their token', async () => {
    const controller = new AbortController();
    for (let i = 0; i < 10; i++) await scope((tasks) => void tasks.spawn(() => {}), { signal: controller.signal });
    expect(getEventListeners(controller.signal, 'abort').length).toBe(0);
  });

  test('a task that asks for its token and ends leaves nothing in its scope', async () => {
    await scope(async (tasks) => {
      for (let i = 0; i < 10; i++) await tasks.spawn((task) => void task.signal);
    });
    await spawn((task) => void task.token);
  });
});
