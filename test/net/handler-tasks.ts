// What a handler waits for belongs to nobody's task: not to the one that called `listen` or `connect`, nor to the one that
// happened to wake the run queue.
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { sleep, spawn } from '../../lib/index.js';
import { connect, type Listener, listen } from '../../lib/net/index.js';
import { codeOf, Deferred, Scene } from './scene.js';

export function testHandlers(): void {
  const scene = new Scene();
  const store = new AsyncLocalStorage<string>();

  test.each(['without a store', 'with a store'])('a handler outlives the task that called listen, %s', async (how) => {
    const started = new Deferred();
    const ended = new Deferred<unknown>();
    const go = new Deferred();
    const serve = (): PromiseLike<Listener> =>
      listen({
        host: '127.0.0.1',
        async data() {
          started.resolve();
          ended.resolve(await codeOf(() => sleep(20)));
          expect(store.getStore()).toBe(how === 'with a store' ? 'mine' : undefined);
        },
      });
    const ports = new Deferred<number>();
    const task = spawn(async () => {
      const listener = scene.own(await (how === 'with a store' ? store.run('mine', serve) : serve()));
      ports.resolve(listener.port);
      await go.promise;
    });
    const socket = await scene.connect(await ports.promise);
    await socket.write('x');
    await started.promise;
    go.resolve();
    await task;
    expect(await ended.promise).toBe('nothing');
  });

  test('a handler outlives the task that called connect, and one that was held back the task that resumed', async () => {
    const listener = await scene.listen({ open: (socket) => void socket.write('hello') });
    const ended = [new Deferred<unknown>(), new Deferred<unknown>()] as const;
    const waits = (end: Deferred<unknown>) => async (): Promise<void> => end.resolve(await codeOf(() => sleep(20)));
    await spawn(async () => {
      await store.run('mine', async () => {
        scene.track(await connect({ host: '127.0.0.1', port: listener.port, open: waits(ended[0]) }));
      });
    });
    expect(await ended[0].promise).toBe('nothing');
    const held = await scene.listen({ maxConnections: 1, open: waits(ended[1]) });
    held.pause();
    await scene.connect(held.port);
    await spawn(async () => {
      held.resume();
      await sleep(1);
    });
    expect(await ended[1].promise).toBe('nothing');
  });
}
