// The descriptor is given away: what was written has left, what was received is not lost, and nobody leaves it open.
import { existsSync, readlinkSync } from 'node:fs';
import { Socket as NodeSocket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type Operation, spawn } from '../../lib/index.js';
import { codeOf, counters, Deferred, expectSameBytes, pattern, readExactly, Scene, until } from './scene.js';

const scene = new Scene();

describe('detach', () => {
  test('gives a connection to node:net, after all that was written before', async () => {
    const { at, from } = await scene.pair();
    const bytes = pattern(3_000_000);
    void at.write(bytes);
    const reader = readExactly(from, bytes.length);
    const fd = await at.detach();
    expect([at.open, at.closed, at.fd]).toEqual([false, true, -1]);
    expectSameBytes(await reader, bytes);
    const node = scene.trackNode(new NodeSocket({ fd, readable: true, writable: true }));
    node.write('from node');
    expect(String(await readExactly(from, 9))).toBe('from node');
    const back = new Deferred<string>();
    node.once('data', (data) => back.resolve(String(data)));
    await from.write('to node');
    expect(await back.promise).toBe('to node');
    node.end();
    expect(await from.read()).toBeNull();
  });

  test('of a socket that was sent to leaves what it had received to be read', async () => {
    const { at, from } = await scene.pair();
    await from.write('before');
    await until(() => at.bytesRead === 6);
    const node = scene.trackNode(new NodeSocket({ fd: await at.detach() }));
    expect(String(await at.read())).toBe('before');
    expect(await at.read()).toBeNull();
    const rest = new Deferred<string>();
    node.once('data', (data) => rest.resolve(String(data)));
    await from.write('after');
    expect(await rest.promise).toBe('after');
    node.destroy();
    await until(() => from.closed || from.peerEnded || from.error !== null);
  });

  test('loses no byte of a stream that comes all the while', async () => {
    for (let round = 0; round < 10; round++) {
      const { at, from } = await scene.pair();
      const bytes = pattern(2_000_000, round);
      const writer = spawn(async () => {
        await from.write(bytes);
        from.shutdown();
      });
      await until(() => at.bytesRead > round * 6000);
      const got: Buffer[] = [];
      const fd = await at.detach();
      for (let chunk = await at.read(); chunk !== null; chunk = await at.read()) got.push(chunk);
      const node = scene.trackNode(new NodeSocket({ fd, allowHalfOpen: true }));
      for await (const chunk of node) got.push(chunk as Buffer);
      await writer;
      expectSameBytes(Buffer.concat(got), bytes);
    }
  });

  test('of a socket with handlers: data until close, and nothing else', async () => {
    const events: string[] = [];
    const { at, from } = await scene.pair({
      data: (_socket, chunk) => void events.push(String(chunk)),
      end: () => void events.push('end'),
      close: () => void events.push('close'),
    });
    await from.write('x');
    await until(() => events.length === 1);
    const node = scene.trackNode(new NodeSocket({ fd: await at.detach() }));
    expect(events).toEqual(['x', 'close']);
    node.destroy();
  });

  test('inside the data handler loses nothing of what comes in the same tick', async () => {
    for (let round = 0; round < 5; round++) {
      const got: Buffer[] = [];
      let detached: Operation<number> | null = null;
      const { from } = await scene.pair({
        data(socket, chunk) {
          got.push(chunk.copy());
          if (got.length === 2) detached = socket.detach();
        },
      });
      const bytes = pattern(2_000_000, round);
      void from.write(bytes);
      from.shutdown();
      await until(() => detached !== null);
      const fd = await (detached as unknown as Operation<number>);
      const node = scene.trackNode(new NodeSocket({ fd, allowHalfOpen: true }));
      for await (const chunk of node) got.push(chunk as Buffer);
      expectSameBytes(Buffer.concat(got), bytes);
    }
  });

  test('fails with the socket, or when it is destroyed meanwhile', async () => {
    const { at } = await scene.pair();
    void at.write(pattern(12_000_000));
    const detached = codeOf(() => at.detach());
    at.destroy();
    expect(await detached).toBe('ERR_MILLRACE_SOCKET_CLOSED');
    expect(await codeOf(() => at.detach())).toBe('ERR_MILLRACE_SOCKET_CLOSED');
  });

  test.runIf(process.platform === 'linux')('given up closes the descriptor', async () => {
    const { at, from } = await scene.pair();
    const { fd } = at;
    const name = readlinkSync(`/proc/self/fd/${fd}`);
    const detached = at.detach();
    const given = codeOf(() => detached);
    detached.cancel();
    expect(await given).toBe('ABORT_ERR');
    await until(() => at.closed);
    expect(existsSync(`/proc/self/fd/${fd}`) && readlinkSync(`/proc/self/fd/${fd}`) === name).toBe(false);
    expect(await from.read()).toBeNull();
    expect(counters().faults).toBe(0);
  });
});
