// The queue that all reads take from, alone: against what a stream of bytes and an index into it would give.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Delimiter } from '../../lib/net/delimiter.js';
import { ReadQueue } from '../../lib/net/read-queue.js';
import { Read, ReadExact, ReadUntil } from '../../lib/net/reads.js';
import { expectSameBytes } from './scene.js';

const PENDING = 0;
const FULFILLED = 1;

/** Few different bytes, so that delimiters are found, overlap and almost match. */
const stream = fc.uint8Array({ minLength: 1, maxLength: 400, max: 3 }).map((bytes) => Buffer.from(bytes));
const delimiter = fc.uint8Array({ minLength: 1, maxLength: 5, max: 3 }).map((bytes) => Buffer.from(bytes));

type Step =
  | { kind: 'push'; length: number }
  | { kind: 'read'; limit: number }
  | { kind: 'exact'; count: number }
  | { kind: 'until'; limit: number }
  | { kind: 'cancel' };

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('push' as const), length: fc.integer({ min: 1, max: 40 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('read' as const), limit: fc.integer({ min: 1, max: 50 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('exact' as const), count: fc.integer({ min: 0, max: 80 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('until' as const), limit: fc.integer({ min: 1, max: 60 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const) }) },
  ),
  { minLength: 1, maxLength: 60 },
);

/** What the delimiter's first occurrence in `bytes` ends at, or 0. */
function endOf(bytes: Buffer, wanted: Buffer): number {
  const at = bytes.indexOf(wanted);
  return at < 0 ? 0 : at + wanted.length;
}

/** Pushes as the addon would: from memory that is overwritten afterwards. */
function push(queue: ReadQueue, bytes: Buffer): void {
  const loan = Buffer.concat([Buffer.from([9]), bytes]);
  queue.push(loan, 1, bytes.length);
  loan.fill(8);
}

describe('one reader at a time', () => {
  test('gets what a stream and an index into it give, whatever is cancelled in between', () => {
    fc.assert(
      fc.property(stream, delimiter, steps, (bytes, wanted, plan) => {
        const queue = new ReadQueue({ readsTaken: () => {}, endRead: () => {} });
        let pushed = 0;
        let consumed = 0;
        let waiting: { step: Step; operation: Read | ReadExact | ReadUntil } | null = null;

        const expected = (step: Step): Buffer | 'waits' | 'limit' => {
          const there = bytes.subarray(consumed, pushed);
          if (step.kind === 'exact') return there.length < step.count ? 'waits' : there.subarray(0, step.count);
          if (step.kind !== 'until') return 'waits';
          const end = endOf(there, wanted);
          if (end > 0 && end <= step.limit) return there.subarray(0, end);
          return there.length >= step.limit ? 'limit' : 'waits';
        };
        const check = (): void => {
          if (waiting === null) return;
          const { step, operation } = waiting;
          if (step.kind === 'read') {
            expect(operation.state).toBe(pushed > consumed ? FULFILLED : PENDING);
          } else {
            const wanted = expected(step);
            if (wanted === 'waits') expect(operation.state).toBe(PENDING);
            else if (wanted === 'limit') expect(operation.value).toMatchObject({ code: 'ERR_MILLRACE_READ_LIMIT' });
            else expectSameBytes(operation.value as Buffer, wanted);
          }
          if (operation.state === PENDING) return;
          if (operation.state === FULFILLED) {
            const got = operation.value as Buffer;
            if (step.kind === 'read') expect(got.length >= 1 && got.length <= step.limit).toBe(true);
            expectSameBytes(got, bytes.subarray(consumed, consumed + got.length));
          } else {
            operation.catch(() => {});
          }
        };
        const take = (): void => {
          if (waiting === null || waiting.operation.state === PENDING) return;
          if (waiting.operation.state === FULFILLED) consumed += (waiting.operation.value as Buffer).length;
          waiting = null;
        };

        for (const step of plan) {
          if (step.kind === 'push') {
            const length = Math.min(step.length, bytes.length - pushed);
            if (length === 0) continue;
            push(queue, bytes.subarray(pushed, pushed + length));
            pushed += length;
            check();
            continue;
          }
          if (step.kind === 'cancel') {
            waiting?.operation.cancel();
            waiting?.operation.catch(() => {});
            waiting = null;
            expect(queue.bytes).toBe(pushed - consumed);
            continue;
          }
          take();
          if (waiting !== null) continue;
          const operation =
            step.kind === 'read'
              ? new Read(queue, step.limit)
              : step.kind === 'exact'
                ? new ReadExact(queue, step.count)
                : new ReadUntil(queue, new Delimiter(wanted), step.limit);
          waiting = { step, operation };
          check();
        }
        take();
        (waiting as { operation: Read } | null)?.operation.cancel();
        expectSameBytes(Buffer.concat(queue.takeAll()), bytes.subarray(consumed, pushed));
      }),
      { numRuns: 3000 },
    );
  });
});

test('many reads at a time, cancelled in any order, lose no byte and double none', () => {
  fc.assert(
    fc.property(steps, fc.array(fc.nat(), { maxLength: 60 }), (plan, choices) => {
      const queue = new ReadQueue({ readsTaken: () => {}, endRead: () => {} });
      const made: (Read | ReadExact)[] = [];
      let next = 0;
      for (const step of plan) {
        if (step.kind === 'push')
          push(queue, Buffer.from(Array.from({ length: step.length % 6 }, () => next++ & 0xff)));
        else if (step.kind === 'read') made.push(new Read(queue, step.limit));
        else if (step.kind === 'exact') made.push(new ReadExact(queue, step.count % 10));
      }
      const kept: number[] = [];
      for (const choice of choices) {
        const [operation] = made.splice(choice % (made.length || 1), 1);
        if (operation === undefined) break;
        if (choice % 2 === 0 || operation.state === PENDING) {
          operation.cancel();
          operation.catch(() => {});
        } else {
          kept.push(...(operation.value as Buffer));
        }
      }
      for (const operation of made) {
        operation.cancel();
        operation.catch(() => {});
      }
      for (const bytes of queue.takeAll()) kept.push(...bytes);
      const all = Array.from({ length: next }, (_, i) => i & 0xff);
      const order = (a: number, b: number): number => a - b;
      expect(kept.sort(order)).toEqual(all.sort(order));
    }),
    { numRuns: 1000 },
  );
});

test('reads that were cancelled in the order in which they were made put back the stream in its order', () => {
  const queue = new ReadQueue({ readsTaken: () => {}, endRead: () => {} });
  const reads = [new Read(queue, 10), new Read(queue, 10), new Read(queue, 10)];
  for (const text of ['one', 'two', 'three']) push(queue, Buffer.from(text));
  for (const read of reads) read.cancel();
  expect(String(Buffer.concat(queue.takeAll()))).toBe('onetwothree');
});

test('bytes that were handed out are never written again', () => {
  const queue = new ReadQueue({ readsTaken: () => {}, endRead: () => {} });
  for (let i = 0; i < 10; i++) push(queue, Buffer.from([i]));
  const first = new ReadExact(queue, 10).value;
  for (let i = 10; i < 5000; i++) push(queue, Buffer.from([i & 0xff]));
  const rest = new ReadExact(queue, 4990).value;
  expect([...first]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect([...rest]).toEqual(Array.from({ length: 4990 }, (_, i) => (i + 10) & 0xff));
});

describe('the delimiter', () => {
  test('is found where indexOf finds it, in pieces of any size', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 2000, max: 2 }),
        fc.uint8Array({ minLength: 1, maxLength: 6, max: 3 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 700 })),
        (given, wanted, sizes) => {
          // Long runs without its first byte, so that the engine's search is used too.
          const bytes = Buffer.concat([Buffer.alloc(700, 7), given, Buffer.alloc(300, 7), given]);
          const looked = new Delimiter(wanted);
          let matched = 0;
          let found = -1;
          for (let at = 0; at < bytes.length && found < 0; ) {
            const to = Math.min(bytes.length, at + (sizes.next().value as number));
            matched = looked.search(bytes, at, to, matched);
            if (matched === looked.length) found = looked.foundAt;
            at = to;
          }
          expect(found).toBe(endOf(bytes, Buffer.from(wanted)) || -1);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('is looked for once in every byte, also where it almost matches everywhere', () => {
    const queue = new ReadQueue({ readsTaken: () => {}, endRead: () => {} });
    const read = new ReadUntil(queue, new Delimiter(Buffer.from('aaaaab')), 2 ** 20);
    let looked = 0;
    const { scan } = queue;
    queue.scan = (skip, visit) =>
      scan.call(queue, skip, (bytes, from, to) => {
        looked += to - from;
        return visit(bytes, from, to);
      });
    const piece = Buffer.alloc(100, 'a');
    for (let i = 0; i < 1000; i++) push(queue, piece);
    push(queue, Buffer.from('b'));
    expect(read.value?.length).toBe(100_001);
    expect(looked).toBe(100_001);
  });
});

test('a read of very many bytes takes memory as they come', () => {
  const queue = new ReadQueue({ readsTaken: () => {}, endRead: () => {} });
  const before = process.memoryUsage().arrayBuffers;
  const read = new ReadExact(queue, 2 ** 30);
  push(queue, Buffer.alloc(1000));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 2 ** 20);
  read.cancel();
  read.catch(() => {});
  expect(queue.bytes).toBe(1000);
});
