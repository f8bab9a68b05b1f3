// What a whole process sees: when it ends, what it loads, what stays behind.
import { describe, expect, test } from 'vitest';
import { runProgram } from '../program.js';

describe('a process', () => {
  test('ends by itself when every task has ended', async () => {
    const { code, output } = await runProgram(`
      import { sleep, spawn } from lib('index.js');
      spawn(function* () { yield* sleep(5); console.log('slept'); });`);
    expect([code, output]).toEqual([0, 'slept']);
  });

  test("does not wait for an unref'd sleep", async () => {
    const { code, output } = await runProgram(`
      import { sleep } from lib('index.js');
      sleep(3_600_000).unref();
      sleep(3_600_000).ref().unref();
      process.on('exit', () => console.log('ended'));`);
    expect([code, output]).toEqual([0, 'ended']);
  });

  test('waits for the deadline of a scope in which nothing else keeps it alive (it ended before)', async () => {
    const { code, output } = await runProgram(`
      import { scope } from lib('index.js');
      import { channel } from lib('sync/index.js');
      const [sender, receiver] = channel(1);
      globalThis.sender = sender;
      await scope(function* () { yield* receiver.recv(); }, { timeoutMs: 20 }).catch((error) => console.log(error.name));
      await scope(() => {}, { timeoutMs: 3_600_000 });`);
    expect([code, output]).toEqual([0, 'TimeoutError']);
  });

  test('does not wait for the deadline of a token', async () => {
    const { code } = await runProgram(`
      import { CancelToken } from lib('index.js');
      globalThis.token = new CancelToken({ timeoutMs: 3_600_000 });`);
    expect(code).toBe(0);
  });

  test('that only imports Millrace opens nothing', async () => {
    const { code, output } = await runProgram(`
      import * as millrace from lib('index.js');
      import { border } from lib('internal/border.js');
      console.log(Object.keys(millrace).length > 20, border.addon);`);
    expect([code, output]).toEqual([0, 'true null']);
  });

  test('that only spawns tasks which never wait opens nothing either', async () => {
    const { code, output } = await runProgram(`
      import { spawn } from lib('index.js');
      import { border } from lib('internal/border.js');
      const sum = await spawn(function* () { yield; return 42; });
      console.log(sum, border.addon);`);
    expect([code, output]).toEqual([0, '42 null']);
  });

  test('process.exit amid a hundred thousand timers and tasks', async () => {
    const { code, signal, errors } = await runProgram(`
      import { sleep, spawn, yieldNow } from lib('index.js');
      for (let i = 0; i < 100_000; i++) spawn(function* () { yield* sleep(i % 50); for (;;) yield; });
      spawn(async () => { for (;;) await yieldNow(); });
      sleep(20).then(() => process.exit(7));`);
    expect({ code, signal, errors }).toEqual({ code: 7, signal: null, errors: '' });
  });

  test('process.exit in a fiber, in an async task and in a tick hook', async () => {
    for (const body of [
      'spawn(function* () { yield* sleep(1); process.exit(7); })',
      'spawn(async () => { await sleep(1); process.exit(7); })',
      'setTickHook(() => process.exit(7)); sleep(1)',
    ]) {
      const { code, errors } = await runProgram(`import { setTickHook, sleep, spawn } from lib('index.js'); ${body};`);
      expect({ code, errors }).toEqual({ code: 7, errors: '' });
    }
  });

  test('an unknown MILLRACE_BACKEND is an error that lists the known ones', async () => {
    const { output } = await runProgram(
      `import { sleep } from lib('index.js');
       try { sleep(1); } catch (error) { console.log(error.name, error.code, error.message); }`,
      { environment: { MILLRACE_BACKEND: 'epoll' } },
    );
    expect(output).toBe('RangeError ERR_MILLRACE_BACKEND MILLRACE_BACKEND must be one of auto, uring, uv; got "epoll"');
  });

  test('a task that waits for what never comes does not keep the process alive, and its scope is no error', async () => {
    const { code } = await runProgram(`
      import { spawn, wait } from lib('index.js');
      spawn(function* () { yield* wait(new Promise(() => {})); });`);
    expect(code).toBe(0);
  });
});

describe('memory is steady', () => {
  const measured = (round: string): string => `
    import { all, CancelToken, Scope, scope, select, sleep, spawn, timeout } from lib('index.js');
    import { withVirtualTime } from lib('test/index.js');
    const token = new CancelToken();
    const controller = new AbortController();
    const ROUND = 1000;
    async function round() { ${round} }
    async function heap(rounds) {
      await withVirtualTime(async () => { for (let i = 0; i < rounds; i++) await round(); });
      for (let i = 0; i < 3; i++) { gc(); await new Promise((resolve) => setImmediate(resolve)); }
      return process.memoryUsage().heapUsed;
    }
    const before = await heap(100);
    const after = await heap(ROUNDS);
    console.log(Math.round((after - before) / 1024));`;

  test.each<[string, number, string]>([
    [
      'a million spawned fibers',
      1000,
      'const t = []; for (let i = 0; i < ROUND; i++) t.push(spawn(function* () { yield; })); await all(t);',
    ],
    ['a million timers', 1000, 'const t = []; for (let i = 0; i < ROUND; i++) t.push(sleep(i % 100)); await all(t);'],
    ['a million cancelled timers', 1000, 'for (let i = 0; i < ROUND; i++) sleep(100).cancel(); await sleep(1);'],
    [
      'a hundred thousand async tasks',
      100,
      'const t = []; for (let i = 0; i < ROUND; i++) t.push(spawn(async () => { await sleep(1); })); await all(t);',
    ],
    [
      'a hundred thousand aborted tasks',
      100,
      'const t = []; for (let i = 0; i < ROUND; i++) t.push(spawn(function* () { yield* sleep(100); })); await sleep(1); for (const each of t) each.abort();',
    ],
    [
      'a hundred thousand selects and timeouts',
      100,
      'await spawn(function* () { for (let i = 0; i < ROUND; i++) { yield* select({ a: sleep(1), b: sleep(100) }); yield* timeout(100, sleep(1)); } });',
    ],
    [
      'a hundred thousand scopes and child tokens of one parent',
      100,
      'await spawn(function* () { for (let i = 0; i < ROUND; i++) { yield* scope(function* (s) { s.spawn(() => {}); }, { signal: token }); yield* sleep(1, { signal: token.child() }); yield* sleep(1, { signal: controller.signal }); const child = token.child(); child.signal; child.dispose(); } });',
    ],
    [
      'ten thousand child tokens that were cancelled while something listened (they stayed with their parent)',
      10,
      'for (let i = 0; i < ROUND; i++) { const child = token.child(); child.signal; const s = sleep(100, { signal: child }); child.cancel(); await s.catch(() => {}); }',
    ],
    [
      'ten thousand tasks that took their signal, in a scope that lives on (their tokens stayed with it)',
      10,
      'globalThis.tasks ??= new Scope(); for (let i = 0; i < ROUND; i++) await tasks.spawn((task) => void task.signal);',
    ],
  ])(
    'after %s',
    async (_, rounds, round) => {
      const { code, output, errors } = await runProgram(measured(round).replace('ROUNDS', String(rounds)), {
        flags: ['--expose-gc'],
      });
      expect({ code, errors }).toEqual({ code: 0, errors: '' });
      // What grows with the work would be megabytes: 16 bytes for each of a million.
      expect(Number(output)).toBeLessThan(1024);
    },
    60_000,
  );
});
