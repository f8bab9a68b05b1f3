import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { all, CancelToken, select, spawn, timeout } from '../../lib/index.js';
import { CLOSED, channel, EMPTY, type Receiver, type Sender } from '../../lib/sync/index.js';
import { type Actor, perform, plans, type Script, type Step, turnsPass } from './random-tasks.js';

const closed = expect.objectContaining({ code: 'ERR_MILLRACE_CHANNEL_CLOSED' });
const aborted = expect.objectContaining({ code: 'ABORT_ERR' });

function* sendAll(sender: Sender<number>, count: number) {
  for (let n = 0; n < count; n++) yield* sender.send(n);
  sender.close();
}

function* receiveAll(receiver: Receiver<number>) {
  const received: number[] = [];
  for (;;) {
    const message = yield* receiver.recv();
    if (message === CLOSED) return received;
    received.push(message);
  }
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

describe('messages arrive once and in order', () => {
  test.each([1, 2, 3, 100, 5000, undefined])('fiber to fiber, with room for %s', async (capacity) => {
    const [sender, receiver] = channel<number>(capacity);
    const received = spawn(receiveAll(receiver));
    await spawn(sendAll(sender, 5000));
    expect(await received).toEqual(upTo(5000));
  });

  test('async function to async function, in a for await loop', async () => {
    const [sender, receiver] = channel<number>(3);
    const producer = spawn(async () => {
      for (let n = 0; n < 2000; n++) await sender.send(n);
      sender.close();
    });
    const received: number[] = [];
    for await (const n of receiver) received.push(n);
    await producer;
    expect(received).toEqual(upTo(2000));
  });

  test('undefined is a message like any other', async () => {
    const [sender, receiver] = channel<undefined>(2);
    await sender.send(undefined);
    sender.close();
    expect(await receiver.recv()).toBe(undefined);
    expect(await receiver.recv()).toBe(CLOSED);
  });

  test('leaving a for await loop leaves the rest in the channel', async () => {
    const [sender, receiver] = channel<number>();
    for (const n of [1, 2, 3]) sender.trySend(n);
    for await (const n of receiver) if (n === 2) break;
    expect(receiver.tryRecv()).toBe(3);
    expect(sender.trySend(4)).toBe(true);
  });

  test('several that wait to receive are served in the order in which they came', async () => {
    const [sender, receiver] = channel<string>(1);
    const waiting = [receiver.recv(), receiver.recv(), receiver.recv()];
    for (const message of ['a', 'b', 'c']) await sender.send(message);
    expect(await Promise.all(waiting)).toEqual(['a', 'b', 'c']);
  });

  test('a burst of a million messages comes through, and through the same channel again', async () => {
    const [sender, receiver] = channel<number>();
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 1_000_000; n++) sender.trySend(n);
      expect(receiver.length).toBe(1_000_000);
      let expected = 0;
      for (let n = receiver.tryRecv(); n !== EMPTY; n = receiver.tryRecv())
        if (n !== expected++) throw new Error(`${String(n)}`);
      expect(expected).toBe(1_000_000);
    }
  });
});

describe('a full channel holds its senders back', () => {
  test('send waits until there is room, trySend says that there is none', async () => {
    const [sender, receiver] = channel<number>(2);
    expect(sender.trySend(1)).toBe(true);
    await sender.send(2);
    expect(sender.trySend(3)).toBe(false);
    let sent = false;
    const third = spawn(function* () {
      yield* sender.send(3);
      sent = true;
    });
    await turnsPass(5);
    expect(sent).toBe(false);
    expect(receiver.tryRecv()).toBe(1);
    await third;
    expect(sent).toBe(true);
    expect([receiver.length, receiver.capacity, sender.length, sender.capacity]).toEqual([2, 2, 2, 2]);
  });

  test('waiting senders go first come first served, and nobody slips in between', async () => {
    const [sender, receiver] = channel<string>(1);
    sender.trySend('first');
    const waiting = ['a', 'b', 'c'].map((message) => sender.send(message));
    expect(receiver.tryRecv()).toBe('first');
    expect(sender.trySend('slipped in')).toBe(false);
    await waiting[0];
    const rest: unknown[] = [];
    for (let i = 0; i < 3; i++) rest.push(await receiver.recv());
    expect(rest).toEqual(['a', 'b', 'c']);
  });

  test('a send that is cancelled while it waits has sent nothing', async () => {
    const [sender, receiver] = channel<string>(1);
    sender.trySend('first');
    const token = new CancelToken();
    const cancelled = sender.send('never', { signal: token });
    const next = sender.send('next');
    token.cancel('too late');
    await expect(cancelled).rejects.toEqual(aborted);
    expect(receiver.tryRecv()).toBe('first');
    await next;
    expect(receiver.tryRecv()).toBe('next');
    expect(receiver.tryRecv()).toBe(EMPTY);
  });

  test('with a signal that is cancelled already nothing is sent, room or not', async () => {
    const [sender, receiver] = channel<number>(5);
    await expect(sender.send(1, { signal: AbortSignal.abort() })).rejects.toEqual(aborted);
    await expect(receiver.recv({ signal: AbortSignal.abort() })).rejects.toEqual(aborted);
    expect(receiver.length).toBe(0);
  });

  test('an aborted task sends no more, however much room there is', async () => {
    const [sender, receiver] = channel<number>();
    function* endless() {
      for (let n = 0; ; n++) yield* sender.send(n);
    }
    const task = spawn(endless());
    await turnsPass(3);
    task.abort();
    await expect(task).rejects.toEqual(aborted);
    const sent = receiver.length;
    expect(sent).toBeGreaterThan(0);
    await turnsPass(3);
    expect(receiver.length).toBe(sent);
  });
});

describe('room can be reserved', () => {
  test('a permit keeps its place, and its send never waits', async () => {
    const [sender, receiver] = channel<string>(1);
    const permit = await sender.reserve();
    expect(sender.trySend('other')).toBe(false);
    expect(sender.length).toBe(0);
    permit.send('reserved');
    expect(await receiver.recv()).toBe('reserved');
  });

  test('a permit that is given up makes room, by release or at the end of a block', async () => {
    const [sender] = channel<string>(1);
    {
      using permit = sender.tryReserve();
      expect(permit).not.toBe(null);
      expect(sender.tryReserve()).toBe(null);
    }
    const permit = await sender.reserve();
    const waiting = sender.send('next');
    permit.release();
    await waiting;
    expect(sender.length).toBe(1);
  });

  test('a permit serves a waiting receiver, and then the next sender has its room', async () => {
    const [sender, receiver] = channel<string>(1);
    const permit = await sender.reserve();
    const received = [receiver.recv(), receiver.recv()];
    const waiting = sender.send('second');
    permit.send('first');
    await waiting;
    expect(await Promise.all(received)).toEqual(['first', 'second']);
  });

  test('using a permit twice is an error', async () => {
    const [sender] = channel<string>(1);
    const permit = await sender.reserve();
    permit.send('once');
    const spent = expect.objectContaining({ code: 'ERR_MILLRACE_PERMIT_RELEASED' });
    expect(() => permit.send('twice')).toThrow(spent);
    expect(() => permit.release()).toThrow(spent);
  });
});

describe('closing', () => {
  test('by the sender: what was sent and what waits for room still arrives, then CLOSED for everybody', async () => {
    const [sender, receiver] = channel<number>(1);
    const sends = [sender.send(1), sender.send(2)];
    const reserve = sender.reserve();
    sender.close();
    await expect(reserve).rejects.toEqual(closed);
    expect([await receiver.recv(), await receiver.recv(), await receiver.recv()]).toEqual([1, 2, CLOSED]);
    await all(sends);
    expect(receiver.tryRecv()).toBe(CLOSED);
    expect(await receiver.recvMany(5)).toEqual([]);
  });

  test('wakes receivers that wait', async () => {
    const [sender, receiver] = channel<number>(1);
    const waiting = [receiver.recv(), receiver.recv()];
    sender.close();
    expect(await Promise.all(waiting)).toEqual([CLOSED, CLOSED]);
  });

  test('by the receiver: senders are refused, what was sent before can be received', async () => {
    const [sender, receiver] = channel<number>(1);
    sender.trySend(1);
    const waiting = sender.send(2);
    receiver.close();
    await expect(waiting).rejects.toEqual(closed);
    await expect(sender.send(3)).rejects.toEqual(closed);
    await expect(sender.reserve()).rejects.toEqual(closed);
    expect(() => sender.trySend(4)).toThrow(closed);
    expect(() => sender.tryReserve()).toThrow(closed);
    expect([await receiver.recv(), await receiver.recv()]).toEqual([1, CLOSED]);
  });

  test('waits for permits that are out', async () => {
    const [sender, receiver] = channel<string>(3);
    const permits = [await sender.reserve(), await sender.reserve()];
    sender.close();
    const waiting = receiver.recv();
    permits[0]?.release();
    expect(receiver.tryRecv()).toBe(EMPTY);
    permits[1]?.send('the last');
    expect(await waiting).toBe('the last');
    expect(await receiver.recv()).toBe(CLOSED);
  });

  test('a cancelled sender was the last thing to wait for', async () => {
    const [sender, receiver] = channel<string>(1);
    const permit = await sender.reserve();
    const send = sender.send('never');
    sender.close();
    const waiting = receiver.recv();
    send.cancel();
    await expect(send).rejects.toEqual(aborted);
    permit.release();
    expect(await waiting).toBe(CLOSED);
  });

  test('either end closes at the end of a using block', () => {
    const [sender, receiver] = channel<string>(1);
    {
      using end = sender;
      expect(end.closed).toBe(false);
    }
    expect([sender.closed, receiver.closed]).toEqual([true, true]);
  });

  test('a send to a closed channel that nobody waits for is an unhandled rejection, not silence', async () => {
    const [sender, receiver] = channel<string>(1);
    receiver.close();
    const told = new Promise((resolve) => process.once('unhandledRejection', resolve));
    void sender.send('into the void');
    expect(await told).toEqual(closed);
  });
});

describe('a receiver that does not take its message loses nothing', () => {
  test('losing a select puts the message back before all others', async () => {
    const [sender, receiver] = channel<number>(3);
    for (const n of [1, 2, 3]) sender.trySend(n);
    const { key } = await select({ other: all([]), message: receiver.recv() }, { biased: true });
    expect(key).toBe('other');
    expect(await receiver.recvMany(10)).toEqual([1, 2, 3]);
  });

  test('two that lose together keep their order', async () => {
    const [sender, receiver] = channel<number>(3);
    for (const n of [1, 2, 3]) sender.trySend(n);
    await select({ other: all([]), a: receiver.recv(), b: receiver.recv() }, { biased: true });
    expect(await receiver.recvMany(10)).toEqual([1, 2, 3]);
    for (const n of [4, 5, 6]) sender.trySend(n);
    const [a, b, c] = [receiver.recv(), receiver.recv(), receiver.recv()];
    for (const operation of [b, c, a]) operation.cancel();
    expect(await receiver.recvMany(10)).toEqual([4, 5, 6]);
  });

  test('the next receiver that waits gets it', async () => {
    const [sender, receiver] = channel<string>(1);
    sender.trySend('precious');
    const first = receiver.recv();
    const second = receiver.recv();
    first.cancel('no more');
    expect(await second).toBe('precious');
    await expect(first).rejects.toEqual(aborted);
  });

  test('a batch goes back as a whole', async () => {
    const [sender, receiver] = channel<number>(5);
    for (const n of [1, 2, 3, 4]) sender.trySend(n);
    receiver.recvMany(3).cancel();
    expect(await receiver.recvMany(2)).toEqual([1, 2]);
    expect(await receiver.recvMany(9)).toEqual([3, 4]);
  });

  test('what a select or a timeout had won goes back when that is cancelled in turn', async () => {
    const [sender, receiver] = channel<number>(5);
    for (const n of [1, 2, 3]) sender.trySend(n);
    await select(
      {
        other: all([]),
        chosen: select({ it: receiver.recv() }),
        limited: timeout(1000, receiver.recv()),
        both: all([receiver.recv()]),
      },
      { biased: true },
    );
    expect(await receiver.recvMany(9)).toEqual([1, 2, 3]);
  });

  test('more than fits is there for a while, and senders wait for it to go', async () => {
    const [sender, receiver] = channel<number>(1);
    sender.trySend(1);
    const received = receiver.recv();
    sender.trySend(2);
    received.cancel();
    expect(receiver.length).toBe(2);
    const third = sender.send(3);
    expect(receiver.tryRecv()).toBe(1);
    expect(third.state).toBe(0);
    expect(receiver.tryRecv()).toBe(2);
    await third;
    expect(receiver.tryRecv()).toBe(3);
  });

  test('a fiber that is aborted while it waits leaves the next message to others', async () => {
    const [sender, receiver] = channel<string>(1);
    function* wait() {
      return yield* receiver.recv();
    }
    const task = spawn(wait());
    await turnsPass(2);
    task.abort();
    await sender.send('for somebody else');
    await expect(task).rejects.toEqual(aborted);
    expect(receiver.tryRecv()).toBe('for somebody else');
  });
});

describe('misuse is told', () => {
  test.each([0, -1, 1.5, Number.NaN, 2 ** 30])('a capacity of %s is out of range', (capacity) => {
    expect(() => channel(capacity)).toThrow(/capacity must be an integer from 1 to 1073741822; got/);
  });

  test('a capacity that is no number is a TypeError', () => {
    expect(() => channel('10' as never)).toThrow(TypeError);
  });

  test('wrong options and limits name themselves', () => {
    const [sender, receiver] = channel<unknown>(1);
    expect(() => sender.send(1, 5 as never)).toThrow(/options must be an object; got 5/);
    expect(() => receiver.recv({ signal: 'no' as never })).toThrow(
      /options.signal must be a CancelToken or an AbortSignal/,
    );
    expect(() => receiver.recvMany(0)).toThrow(/limit must be an integer from 1/);
    expect(() => sender.trySend(CLOSED)).toThrow(/message must be anything but CLOSED and EMPTY/);
    expect(sender.length).toBe(0);
  });
});

describe('under random schedules', () => {
  const sent: string[] = [];
  const received: string[] = [];
  let issued = 0;
  let sender: Sender<string>;
  let receiver: Receiver<string>;

  function begin(capacity: number | undefined): void {
    sent.length = 0;
    received.length = 0;
    [sender, receiver] = channel<string>(capacity);
  }

  /** Sends one message; it is in `sent` exactly if it was. Where it may be given up, it has to be a reserve. */
  function* send(actor: Actor, step: Step): Script {
    const message = `${actor.index}:${issued++}`;
    if (step.choice % 5 === 0) {
      if (sender.trySend(message)) sent.push(message);
    } else if (step.choice % 2 === 0 && (step.way === 'plain' || step.way === 'signal')) {
      sent.push(message);
      let done = false;
      try {
        done = (yield* actor.wait(step, (options) => sender.send(message, options))).won;
      } finally {
        if (!done) sent.splice(sent.indexOf(message), 1);
      }
    } else {
      const outcome = yield* actor.wait(step, (options) => sender.reserve(options));
      if (!outcome.won) return;
      using permit = outcome.value;
      if (step.choice % 3 === 0) yield undefined;
      if (step.choice % 7 === 0) return;
      const late = `${actor.index}:${issued++}`;
      permit.send(late);
      sent.push(late);
    }
  }

  function* receive(actor: Actor, step: Step): Script {
    if (step.choice % 4 === 0) {
      const outcome = yield* actor.wait(step, (options) => receiver.recvMany(1 + (step.choice % 5), options));
      if (outcome.won) received.push(...outcome.value);
      return;
    }
    const outcome = yield* actor.wait(step, (options) => receiver.recv(options));
    if (outcome.won && outcome.value !== CLOSED) received.push(outcome.value);
  }

  function drain(): string[] {
    const rest: string[] = [];
    for (let message = receiver.tryRecv(); typeof message === 'string'; message = receiver.tryRecv())
      rest.push(message);
    return rest;
  }

  const capacities = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined });

  test('messages sent = received + still queued, whoever is cancelled when', async () => {
    await fc.assert(
      fc.asyncProperty(plans(), capacities, async (plan, capacity) => {
        begin(capacity);
        await perform(plan, (actor, step) => (actor.index % 2 === 0 ? send(actor, step) : receive(actor, step)));
        const length = receiver.length;
        const rest = drain();
        expect(rest.length).toBe(length);
        expect([...received, ...rest].sort()).toEqual([...sent].sort());
        // Nothing is held back: the channel has all its room again.
        if (capacity !== undefined) for (let i = 0; i < capacity; i++) expect(sender.trySend('room')).toBe(true);
        if (capacity !== undefined) expect(sender.trySend('no room')).toBe(false);
      }),
      { numRuns: 400 },
    );
  });

  test("one receiver sees each sender's messages in the order of their sending", async () => {
    await fc.assert(
      fc.asyncProperty(plans(), capacities, async (plan, capacity) => {
        begin(capacity);
        await perform(plan, (actor, step) => (actor.index === 0 ? receive(actor, step) : send(actor, step)));
        const seen = new Map<string, number>();
        for (const message of [...received, ...drain()]) {
          const [by, number] = message.split(':') as [string, string];
          expect(Number(number)).toBeGreaterThan(seen.get(by) ?? -1);
          seen.set(by, Number(number));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('closing at a random point ends every receiver and loses no message that was sent', async () => {
    await fc.assert(
      fc.asyncProperty(plans(), capacities, fc.boolean(), fc.nat(20), async (plan, capacity, bySender, when) => {
        begin(capacity);
        let steps = 0;
        await perform(plan, function* (actor, step) {
          if (steps++ === when) (bySender ? sender : receiver).close();
          try {
            yield* actor.index % 2 === 0 ? send(actor, step) : receive(actor, step);
          } catch (error) {
            if ((error as { code: string }).code !== 'ERR_MILLRACE_CHANNEL_CLOSED') throw error;
          }
        });
        sender.close();
        const rest = drain();
        expect([...received, ...rest].sort()).toEqual([...sent].sort());
        expect(receiver.tryRecv()).toBe(CLOSED);
      }),
      { numRuns: 300 },
    );
  });
});
