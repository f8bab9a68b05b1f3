// Errors that nobody takes: told once, never silent, and never where somebody has taken them.
import { describe, expect, test } from 'vitest';
import { runProgram } from '../program.js';

/** Runs `body`, and gives the messages of unhandled rejections and uncaught exceptions in order. */
async function untaken(body: string): Promise<string[]> {
  const { code, output, errors } = await runProgram(`
    import { all, CancelToken, JoinSet, race, Scope, scope, select, shield, sleep, spawn, timeout, wait } from lib('index.js');
    const told = [];
    process.on('unhandledRejection', (error) => told.push('rejection: ' + (error?.message ?? error)));
    process.on('uncaughtException', (error) => told.push('exception: ' + (error?.message ?? error)));
    process.on('exit', () => console.log(JSON.stringify(told)));
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const fail = (message = 'lost') => { throw new Error(message); };
    ${body}`);
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  return JSON.parse(output);
}

describe('an unhandled rejection', () => {
  test.each<[string, string]>([
    ['a detached fiber that fails', 'spawn(function* () { yield* sleep(1); fail(); });'],
    ['a detached async task that fails', 'spawn(async () => { await sleep(1); fail(); });'],
    ['a detached plain function that throws', 'spawn(() => fail());'],
    ['an operation that fails with nobody waiting', 'wait(Promise.reject(new Error("lost")));'],
    ['a select that fails with nobody waiting', 'select({ a: () => fail() });'],
    ['a scope that fails with nobody waiting', 'scope(() => fail());'],
    [
      'a detached task that fails while it is aborted',
      'const t = spawn(async () => { try { await sleep(1000); } finally { fail(); } }); await turn(); t.abort();',
    ],
    [
      'a loser of a select that fails while it is cancelled',
      'await select({ a: sleep(1), b: async () => { try { await sleep(1000); } finally { fail(); } } });',
    ],
    [
      'a detached task that is joined only by a promise that nobody takes',
      'const t = spawn(() => fail()); t.then(() => {});',
    ],
  ])('%s', async (_, body) => {
    expect(await untaken(body)).toEqual(['rejection: lost']);
  });

  test('the default of Node ends the process with the error, its stack and code 1', async () => {
    const { code, errors } = await runProgram(`
      import { sleep, spawn } from lib('index.js');
      spawn(function* culprit() { yield* sleep(1); throw new RangeError('lost'); });
      await sleep(10_000);`);
    expect(code).toBe(1);
    expect(errors).toMatch(/RangeError: lost[\s\S]*culprit/);
  });
});

describe('told to somebody, and so nowhere else', () => {
  test.each<[string, string]>([
    ['a joined task', 'const t = spawn(() => fail()); await t.catch(() => {});'],
    [
      'a task that a fiber joins',
      'const t = spawn(() => fail()); await spawn(function* () { try { yield* t; } catch {} });',
    ],
    [
      'a task that is joined in the same turn as it fails',
      'const t = spawn(() => fail()); await Promise.resolve(); await t.catch(() => {});',
    ],
    [
      'a task in a scope',
      'await scope((s) => { s.spawn(() => fail()); s.spawn(() => fail("other")); }).catch(() => {});',
    ],
    [
      'a task of a Scope',
      'const s = new Scope(); s.spawn(() => fail()); await turn(); await turn(); await s.join().catch(() => {});',
    ],
    [
      'a task of a JoinSet',
      'const s = new JoinSet(); s.spawn(() => fail()); await turn(); await turn(); await s.joinNext();',
    ],
    [
      'an aborted detached task',
      'const t = spawn(function* () { yield* sleep(1000); }); await turn(); t.abort(); await turn();',
    ],
    [
      'a detached task aborted with a reason',
      'const t = spawn(async () => { await sleep(1000); }); await turn(); t.abort(new Error("why")); await turn();',
    ],
    [
      'a detached task that ends with its deadline',
      'const token = new CancelToken({ timeoutMs: 1 }); const t = sleep(1000, { signal: token }); await sleep(5);',
    ],
    ['a cancelled sleep', 'sleep(1000).cancel(); await turn();'],
    [
      'losers of a select',
      'await select({ a: sleep(1), b: async () => { await sleep(1000); }, c: function* () { yield* sleep(1000); } });',
    ],
    ['the others of an all that failed', 'await all([() => fail(), () => fail("second"), sleep(50)]).catch(() => {});'],
    ['a race of failures', 'await race([() => fail(), () => fail("second")]).catch(() => {});'],
    ['what a timeout limits', 'await timeout(1, async () => { await sleep(1000); }).catch(() => {});'],
    ['a shielded part', 'await shield(() => fail()).catch(() => {});'],
    ['a task that a task awaits', 'await spawn(async () => { try { await spawn(() => fail()); } catch {} });'],
    [
      'a task that an aborted task had awaited',
      'const inner = spawn(async () => { await sleep(5); }); const t = spawn(async () => await inner); await turn(); t.abort(); await t.catch(() => {}); await inner;',
    ],
  ])('%s', async (_, body) => {
    expect(await untaken(body)).toEqual([]);
  });
});

describe('an exception in code that the runtime calls', () => {
  test('a tick hook that throws is an uncaught exception, and the runtime goes on', async () => {
    expect(
      await untaken(`
        const { setTickHook } = await import(lib('index.js'));
        let once = true;
        setTickHook(() => { if (once) { once = false; fail('hook'); } });
        await sleep(1);
        await spawn(async () => { await sleep(1); await sleep(1); });`),
    ).toEqual(['exception: hook']);
  });

  test('an abort listener that throws is an uncaught exception, and the others are told', async () => {
    expect(
      await untaken(`
        const token = new CancelToken();
        token.signal.addEventListener('abort', () => fail('listener'));
        const slept = sleep(1000, { signal: token });
        token.cancel();
        await slept.catch(() => {});
        await spawn(() => 1);`),
    ).toEqual(['exception: listener']);
  });
});
