// Whose code is this? Task-local values and the user's own AsyncLocalStorage, in both kinds of task.
import { describe, expect, test } from 'vitest';
import { all, JoinSet, scope, select, shield, sleep, spawn, taskLocal, timeout, yieldNow } from '../../lib/index.js';
import { runProgram } from '../program.js';

describe('taskLocal', () => {
  test('children inherit the value of the time when they were spawned, and change only their own', async () => {
    const user = taskLocal<string>('user');
    const seen: unknown[] = [];
    await spawn(async () => {
      user.set('a');
      const child = spawn(function* () {
        seen.push(user.get());
        user.set('b');
        yield* sleep(1);
        seen.push(user.get());
      });
      user.set('c');
      await child;
      seen.push(user.get());
    });
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(user.get()).toBeUndefined();
  });

  test('is kept across every kind of wait', async () => {
    const local = taskLocal<number>();
    function* fiber(n: number) {
      local.set(n);
      for (let i = 0; i < 20; i++) {
        if (i % 4 === 0) yield* sleep(i % 3);
        else if (i % 4 === 1) yield;
        else if (i % 4 === 2) yield* spawn(() => 1);
        else yield* select({ a: sleep(0), b: sleep(100) });
        if (local.get() !== n) throw new Error(`saw ${local.get()}, not ${n}`);
      }
    }
    async function task(n: number) {
      local.set(n);
      for (let i = 0; i < 20; i++) {
        if (i % 4 === 0) await sleep(i % 3);
        else if (i % 4 === 1) await yieldNow();
        else if (i % 4 === 2) await spawn(() => 1);
        else await Promise.resolve();
        if (local.get() !== n) throw new Error(`saw ${local.get()}, not ${n}`);
      }
    }
    await all(Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? spawn(fiber(i)) : spawn(() => task(i)))));
  });

  test('run, scopes, join sets, selects, timeouts and shields inherit', async () => {
    const local = taskLocal<string>();
    const seen: unknown[] = [];
    const look = (): void => void seen.push(local.get());
    await local.run('v', async () => {
      await scope((tasks) => void tasks.spawn(look));
      const set = new JoinSet();
      set.spawn(look);
      await set.joinNext();
      await select({ a: look });
      await timeout(100, look);
      await shield(look);
      await local.run('w', look);
      look();
    });
    expect(seen).toEqual(['v', 'v', 'v', 'v', 'v', 'w', 'v']);
  });

  test('set outside of a task is an error', () => {
    expect(() => taskLocal('name').set(1)).toThrow(expect.objectContaining({ code: 'ERR_MILLRACE_NOT_IN_TASK' }));
  });
});

/** Programs, since the first store that is entered changes a whole process. */
async function storage(body: string, before = ''): Promise<unknown> {
  const { code, output, errors } = await runProgram(`
    import { AsyncLocalStorage } from 'node:async_hooks';
    const original = { run: AsyncLocalStorage.prototype.run, enterWith: AsyncLocalStorage.prototype.enterWith };
    const store = new AsyncLocalStorage();
    ${before}
    const { all, scope, sleep, spawn, yieldNow } = await import(lib('index.js'));
    const { listen, connect } = await import(lib('net/index.js'));
    const untouched = () => AsyncLocalStorage.prototype.run === original.run && AsyncLocalStorage.prototype.enterWith === original.enterWith;
    const seen = [];
    ${body}
    console.log(JSON.stringify(seen));`);
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  return JSON.parse(output);
}

describe('AsyncLocalStorage', () => {
  test('a store entered before spawn is seen by fibers and async tasks, after every wait', async () => {
    expect(
      await storage(`
        const body = function* () { seen.push(store.getStore()); yield* sleep(1); seen.push(store.getStore()); yield; seen.push(store.getStore()); };
        const task = async () => { seen.push(store.getStore()); await sleep(1); seen.push(store.getStore()); await yieldNow(); seen.push(store.getStore()); };
        await store.run('a', () => spawn(body));
        await store.run('b', () => spawn(task));
        await store.run('c', () => scope(function* (s) { yield* s.spawn(body()); }));
        await spawn(body);`),
    ).toEqual(['a', 'a', 'a', 'b', 'b', 'b', 'c', 'c', 'c', null, null, null]);
  });

  test('a store entered before the import is seen too', async () => {
    expect(
      await storage(
        'await spawn(function* () { yield* sleep(1); seen.push(store.getStore()); }); await spawn(async () => { await sleep(1); seen.push(store.getStore()); });',
        `store.enterWith('early');`,
      ),
    ).toEqual(['early', 'early']);
  });

  test('enterWith within a task stays within it', async () => {
    expect(
      await storage(`
        await all([
          spawn(async () => { store.enterWith('x'); await sleep(2); seen.push(store.getStore()); }),
          spawn(async () => { await sleep(1); seen.push(store.getStore() ?? 'none'); }),
        ]);`),
    ).toEqual(['none', 'x']);
  });

  test('tasks from before the first store see none, whoever wakes them, and what they enter stays with them', async () => {
    expect(
      await storage(`
        const look = (name) => seen.push(name + ' ' + (store.getStore() ?? 'none'));
        let wake;
        const woken = new Promise((resolve) => (wake = resolve));
        const gate = spawn(async () => await woken);
        const early = spawn(function* () { yield* gate; look('early'); yield* spawn(function* () { look('child'); }); });
        const enters = spawn(function* () { yield* sleep(1); store.enterWith('own'); look('enters'); yield* sleep(1); look('enters'); });
        const beside = spawn(function* () { yield* sleep(1); look('beside'); yield* sleep(1); look('beside'); });
        await all([enters, beside]);
        store.run('outer', () => early.abort === undefined || wake());
        await store.run('outer', () => spawn(function* () { yield* sleep(1); look('late'); }));
        await early;
        look('outside');
        seen.sort();`),
    ).toEqual([
      'beside none',
      'beside none',
      'child none',
      'early none',
      'enters own',
      'enters own',
      'late outer',
      'outside none',
    ]);
  });

  test('a hundred interleaved fibers and tasks each see their own store', async () => {
    expect(
      await storage(`
        let wrong = 0;
        function* fiber(i) { for (let k = 0; k < 20; k++) { if (store.getStore() !== i) wrong++; if (k % 3) yield; else yield* sleep(k % 2); } }
        async function task(i) { for (let k = 0; k < 20; k++) { if (store.getStore() !== i) wrong++; if (k % 3) await yieldNow(); else await sleep(k % 2); } }
        await all(Array.from({ length: 100 }, (_, i) => store.run(i, () => (i % 2 ? spawn(fiber(i)) : spawn(() => task(i))))));
        seen.push(wrong, store.getStore() ?? 'none');`),
    ).toEqual([0, 'none']);
  });

  test('a fiber that leaves a store entered does not give it to the next one', async () => {
    expect(
      await storage(`
        store.run('first', () => {});
        const a = spawn(function* () { store.enterWith('inside'); yield; seen.push(store.getStore() ?? 'none'); });
        const b = spawn(function* () { yield; seen.push(store.getStore() ?? 'none'); });
        await all([a, b]);`),
    ).toContain('none');
  });

  test('handlers of sockets see the store of the code that made them', async () => {
    expect(
      await storage(`
        store.run('seen elsewhere', () => {});
        const server = await store.run('server', () => listen({ port: 0, data(socket, chunk) { seen.push(store.getStore()); socket.write(chunk); socket.shutdown(); } }));
        const client = await connect({ port: server.port });
        await client.write(Buffer.from('x'));
        while ((await client.read()) !== null);
        await client.close();
        await server.close();`),
    ).toEqual(['server']);
  });

  test('the prototype is watched until the first store is entered, then as it was; tasks alone never trip it', async () => {
    expect(
      await storage(`
        await spawn(async () => { await sleep(1); });
        await spawn(function* () { yield* sleep(1); });
        seen.push(untouched());
        store.run(1, () => {});
        seen.push(untouched());`),
    ).toEqual([false, true]);
    expect(await storage(`seen.push(untouched()); store.enterWith(1); seen.push(untouched());`)).toEqual([false, true]);
  });

  test('whoever has wrapped the prototype after us keeps their wrapper', async () => {
    expect(
      await storage(`
        const ours = AsyncLocalStorage.prototype.run;
        let calls = 0;
        const theirs = function (...args) { calls++; return ours.apply(this, args); };
        AsyncLocalStorage.prototype.run = theirs;
        store.run(1, () => seen.push(store.getStore()));
        store.run(2, () => seen.push(store.getStore()));
        seen.push(calls, AsyncLocalStorage.prototype.run === theirs);`),
    ).toEqual([1, 2, 2, true]);
  });
});
