import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { all, select, spawn } from '../../lib/index.js';
import { CLOSED, EMPTY, type OneshotReceiver, type OneshotSender, oneshot } from '../../lib/sync/index.js';
import { perform, plans } from './random-tasks.js';

const closed = expect.objectContaining({ code: 'ERR_MILLRACE_CHANNEL_CLOSED' });
const consumed = expect.objectContaining({ code: 'ERR_MILLRACE_CONSUMED' });

test('a value sent before or after the wait for it arrives', async () => {
  const [early, later] = [oneshot<number>(), oneshot<number>()];
  early[0].send(1);
  expect(await early[1].recv()).toBe(1);
  const waiting = spawn(function* () {
    return yield* later[1].recv();
  });
  later[0].send(2);
  expect(await waiting).toBe(2);
});

test('one that is closed without a value tells so', async () => {
  const [sender, receiver] = oneshot<number>();
  const waiting = receiver.recv();
  expect(receiver.tryRecv()).toBe(EMPTY);
  sender.close();
  await expect(waiting).rejects.toEqual(closed);
  await expect(receiver.recv()).rejects.toEqual(closed);
  expect(receiver.tryRecv()).toBe(CLOSED);
  expect(() => sender.send(1)).toThrow(closed);
});

test('a receiver that closed wants nothing more, but has what was sent', async () => {
  const [sender, receiver] = oneshot<number>();
  receiver.close();
  expect(sender.closed).toBe(true);
  expect(() => sender.send(1)).toThrow(closed);
  const [other, last] = oneshot<number>();
  other.send(1);
  last.close();
  expect(last.tryRecv()).toBe(1);
});

test('there is one value, for one receiver, once', async () => {
  const [sender, receiver] = oneshot<undefined>();
  const waiting = receiver.recv();
  await expect(receiver.recv()).rejects.toMatchObject({ code: 'ERR_MILLRACE_INVALID_STATE' });
  sender.send(undefined);
  expect(() => sender.send(undefined)).toThrow(consumed);
  expect(await waiting).toBe(undefined);
  await expect(receiver.recv()).rejects.toEqual(consumed);
  expect(() => receiver.tryRecv()).toThrow(consumed);
});

test('losing a select leaves the value to be received', async () => {
  const [sender, receiver] = oneshot<string>();
  await select({ first: all([]), it: receiver.recv() }, { biased: true });
  sender.send('still there');
  await select({ first: all([]), it: receiver.recv() }, { biased: true });
  expect(await receiver.recv()).toBe('still there');
});

test('an end closes with its block', async () => {
  const [sender, receiver] = oneshot<string>();
  {
    using _answer = sender;
  }
  await expect(receiver.recv()).rejects.toEqual(closed);
});

describe('under random schedules', () => {
  test('a value that was sent is received once, or is still there', async () => {
    await fc.assert(
      fc.asyncProperty(plans(), async (plan) => {
        const pairs: [OneshotSender<number>, OneshotReceiver<number>, { sent: boolean; received: number }][] = [];
        for (let i = 0; i < 8; i++) pairs.push([...oneshot<number>(), { sent: false, received: 0 }]);
        await perform(plan, function* (actor, step) {
          const [sender, receiver, seen] = pairs[step.choice % 8] as (typeof pairs)[number];
          if (actor.index % 2 === 0) {
            if (seen.sent) return;
            seen.sent = true;
            sender.send(step.choice);
            return;
          }
          try {
            if ((yield* actor.wait(step, (options) => receiver.recv(options))).won) seen.received++;
          } catch (error) {
            const { code } = error as { code: string };
            if (code !== 'ERR_MILLRACE_CONSUMED' && code !== 'ERR_MILLRACE_INVALID_STATE') throw error;
          }
        });
        for (const [, receiver, seen] of pairs) {
          if (seen.received === 0) expect(typeof receiver.tryRecv()).toBe(seen.sent ? 'number' : 'symbol');
          else expect([seen.sent, seen.received]).toEqual([true, 1]);
        }
      }),
      { numRuns: 300 },
    );
  });
});
