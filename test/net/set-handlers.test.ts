// A socket that was read from is given to handlers: nothing of what had come is lost, and nothing comes too early.
import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { spawn } from '../../lib/index.js';
import { COMPLETION_ERROR, SYSCALL_READ } from '../../lib/internal/layout.js';
import type { SocketHandlers } from '../../lib/net/index.js';
import { codeOf, Deferred, expectSameBytes, pattern, Scene, until } from './scene.js';

const scene = new Scene();

/** Handlers that note what they are told. */
function noting(): { events: string[]; got: Buffer[]; handlers: SocketHandlers; closed: Promise<void> } {
  const events: string[] = [];
  const got: Buffer[] = [];
  const closed = new Deferred();
  const handlers: SocketHandlers = {
    open: () => void events.push('open'),
    data(_socket, chunk) {
      if (events.at(-1) !== 'data') events.push('data');
      got.push(chunk.copy());
    },
    end: () => void events.push('end'),
    error: (_socket, error) => void events.push(`error ${(error as { code?: string }).code}`),
    close() {
      events.push('close');
      closed.resolve();
    },
  };
  return { events, got, handlers, closed: closed.promise };
}

describe('setHandlers', () => {
  test('gives first what was queued, in a later turn, then what comes, then the end', async () => {
    const { at, from } = await scene.pair();
    await from.write('early');
    expect(String(await at.read(1))).toBe('e');
    await from.write(' birds');
    await until(() => at.bytesRead === 11);
    const { events, got, handlers, closed } = noting();
    at.setHandlers(handlers);
    expect(events).toEqual([]);
    expect(await codeOf(() => at.read())).toBe('ERR_MILLRACE_INVALID_STATE');
    await from.write(' and late ones');
    from.shutdown();
    await closed;
    expect(String(Buffer.concat(got))).toBe('arly birds and late ones');
    expect(events).toEqual(['data', 'end', 'close']);
  });

  test('of a socket with nothing queued begins with what comes', async () => {
    const { at, from } = await scene.pair();
    const { got, handlers } = noting();
    at.setHandlers(handlers);
    await from.write('x');
    await until(() => got.length === 1);
  });

  test('after the end gives the bytes, then the end, and heeds allowHalfOpen', async () => {
    const { at, from } = await scene.pair();
    await from.write('x');
    from.shutdown();
    await until(() => at.peerEnded);
    const { events, handlers } = noting();
    at.setHandlers(handlers, { allowHalfOpen: true });
    await until(() => events.length === 2);
    expect(events).toEqual(['data', 'end']);
    expect(at.open).toBe(true);
    void at.write('bye');
    await at.close();
    expect(String(await from.read())).toBe('bye');
  });

  test('of a paused socket waits for resume', async () => {
    const { at, from } = await scene.pair();
    const bytes = pattern(200_000);
    const writer = spawn(async () => {
      await from.write(bytes);
      from.shutdown();
    });
    await until(() => at.bytesRead > 0);
    at.pause();
    const { events, got, handlers, closed } = noting();
    let paused = 0;
    at.setHandlers({
      ...handlers,
      data(socket, chunk) {
        handlers.data?.(socket, chunk);
        if (++paused === 1) socket.pause();
      },
    });
    await until(() => paused === 0);
    at.resume();
    await until(() => paused === 1);
    at.resume();
    await closed;
    await writer;
    expectSameBytes(Buffer.concat(got), bytes);
    expect(events).toEqual(['data', 'end', 'close']);
  });

  test('before a reset gives what had come before it', async () => {
    const { at, from } = await scene.pair();
    const { events, handlers, closed } = noting();
    await from.write('x');
    await until(() => at.bytesRead === 1);
    at.setHandlers(handlers);
    from.destroy();
    await closed;
    expect(events).toEqual(['data', 'error ECONNRESET', 'close']);
  });

  test('before an error of the same tick gives what had come', async () => {
    const { at, from } = await scene.pair();
    await from.write('x');
    await until(() => at.bytesRead === 1);
    const { events, handlers } = noting();
    at.setHandlers(handlers);
    at.complete(COMPLETION_ERROR, -constants.errno.ECONNRESET >>> 0, SYSCALL_READ);
    expect(events).toEqual(['data', 'error ECONNRESET']);
  });

  test('a chunk that was queued is as dead afterwards as others, and can be sent before', async () => {
    const { at, from } = await scene.pair();
    await from.write('echo');
    await until(() => at.bytesRead === 4);
    const kept = new Deferred<() => unknown>();
    at.setHandlers({
      data(socket, chunk) {
        void socket.write(chunk);
        kept.resolve(() => chunk.bytes);
      },
    });
    expect(await codeOf(await kept.promise)).toBe('ERR_MILLRACE_CHUNK_DEAD');
    expect(String(await from.readExact(4))).toBe('echo');
  });

  test('replaces handlers, and without data the socket is read again', async () => {
    const { at, from } = await scene.pair({ data: () => expect.fail('replaced') });
    const second = noting();
    at.setHandlers(second.handlers);
    await from.write('to the second');
    await until(() => second.got.length > 0);
    at.setHandlers({});
    await from.write('to a reader');
    expect(String(await at.readExact(11))).toBe('to a reader');
    expect(second.got.length).toBe(1);
  });

  test('is refused while a read waits, after the close, and of what are no handlers', async () => {
    const { at } = await scene.pair();
    const read = at.read();
    expect(await codeOf(() => at.setHandlers({ data: () => {} }))).toBe('ERR_MILLRACE_INVALID_STATE');
    read.cancel();
    await codeOf(() => read);
    expect(await codeOf(() => at.setHandlers({ data: 1 as never }))).toBe('ERR_INVALID_ARG_TYPE');
    expect(await codeOf(() => at.setHandlers(null as never))).toBe('ERR_INVALID_ARG_TYPE');
    await at.close();
    expect(await codeOf(() => at.setHandlers({}))).toBe('ERR_MILLRACE_SOCKET_CLOSED');
  });
});
