// JavaScript's half of the border, over the fake: cursors that wrap around, full rings, and what no addon should write.
import { afterEach, describe, expect, test } from 'vitest';
import { Border } from '../../lib/internal/border.js';
import { FakeAddon } from '../../lib/internal/fake/index.js';
import {
  COMPLETION_CAPACITY,
  COMPLETION_DATA,
  COMPLETION_TIMER,
  CONTROL_AWAKE,
  CONTROL_FAULTS,
  CONTROL_SUBMISSION_HEAD,
  CONTROL_SUBMISSION_TAIL,
  SUBMISSION_CAPACITY,
  SUBMISSION_CLOSE,
  SUBMISSION_SEND,
  SUBMISSION_TIMER_ARM,
  SUBMISSION_TIMER_CANCEL,
  SUBMISSION_TIMER_REF,
  UNREF,
} from '../../lib/internal/layout.js';
import { turn } from '../turn.js';

const START_MS = 1000;
let fake: FakeAddon;

function opened(cursor = 0): { border: Border; fired: number[] } {
  fake = new FakeAddon({ seed: 1, cursor, startMs: START_MS });
  const border = new Border(() => fake);
  const fired: number[] = [];
  border.timerFired = (slot) => void fired.push(slot);
  return { border, fired };
}

function arm(border: Border, slot: number, delayMs: number, flags = 0): void {
  border.submitValue(SUBMISSION_TIMER_ARM | flags, slot, START_MS + delayMs);
}

afterEach(async () => {
  await turn(20);
  expect(fake.counters()).toMatchObject({ timersArmed: 0 });
});

describe('cursors', () => {
  test.each([0, 2 ** 32 - 1, 2 ** 32 - 100, 2 ** 32 - SUBMISSION_CAPACITY, 2 ** 31 - 50])(
    'that start at %i go round, and no record is lost or doubled',
    async (cursor) => {
      const { border, fired } = opened(cursor);
      for (let round = 0; round < 5; round++) {
        for (let slot = 0; slot < 3000; slot++) arm(border, slot, round);
        await turn(6);
        expect(fired.splice(0).sort((a, b) => a - b)).toEqual(Array.from({ length: 3000 }, (_, slot) => slot));
      }
      expect(fake.counters()).toMatchObject({ faults: 0, submissions: 15_000, completions: 15_000 });
      expect(border.events).toBe(15_000);
    },
  );
});

describe('a full submission ring', () => {
  test.each([0, 2 ** 32 - 10])('is flushed and goes on (cursor %i)', async (cursor) => {
    const { border, fired } = opened(cursor);
    for (let slot = 0; slot < 10_000; slot++) arm(border, slot, 1);
    expect(fake.counters().submissions).toBe(2 * SUBMISSION_CAPACITY);
    for (let slot = 0; slot < 10_000; slot += 2) border.submit(SUBMISSION_TIMER_CANCEL, slot, 0, 0);
    await turn(10);
    expect(fired.length).toBe(5000);
    expect(fired.every((slot) => slot % 2 === 1)).toBe(true);
    expect(fake.counters().faults).toBe(0);
  });

  test('of records of two words is flushed across the end of the cursors as well', async () => {
    const { border } = opened(2 ** 32 - 10);
    for (let i = 0; i < 3 * SUBMISSION_CAPACITY; i++) border.submit(SUBMISSION_TIMER_CANCEL, 0, 0, 0);
    expect(fake.counters()).toMatchObject({ submissions: 3 * SUBMISSION_CAPACITY, faults: 3 * SUBMISSION_CAPACITY });
    expect(border.submitted).toBe(true);
  });

  test('exactly full leaves nothing in it', () => {
    const { border } = opened();
    for (let slot = 0; slot < SUBMISSION_CAPACITY; slot++) arm(border, slot, 1, UNREF);
    expect([border.submitted, fake.counters().timersArmed]).toEqual([true, SUBMISSION_CAPACITY]);
    arm(border, 0, 2);
    expect(border.submitted).toBe(false);
  });
});

describe('more completions than the ring holds', () => {
  test('are carried over to the next ticks, none lost, none doubled', async () => {
    const { border, fired } = opened(2 ** 32 - 5);
    for (let slot = 0; slot < 20_000; slot++) arm(border, slot, 5);
    const { ticks } = border;
    await turn(20);
    expect(new Set(fired).size).toBe(20_000);
    expect(fired.length).toBe(20_000);
    expect(border.ticks - ticks).toBeGreaterThanOrEqual(20_000 / COMPLETION_CAPACITY);
  });
});

describe('waking', () => {
  test('the first submission opens and wakes, later ones do not; asleep, the next one wakes again', async () => {
    const { border, fired } = opened();
    expect(border.addon).toBeNull();
    let wakes = 0;
    const { wake } = fake;
    fake.wake = () => {
      wakes++;
      wake.call(fake);
    };
    arm(border, 0, 0);
    arm(border, 1, 0);
    expect(wakes).toBe(1);
    await turn(10);
    expect([fired, fake.rings.control[CONTROL_AWAKE]]).toEqual([[0, 1], 0]);
    wakes = 0;
    arm(border, 0, 0);
    expect(wakes).toBe(1);
    await turn(10);
    expect(fired).toEqual([0, 1, 0]);
  });

  test('requestTick brings a tick without a completion', async () => {
    const { border } = opened();
    border.requestTick();
    await turn(3);
    expect([border.ticks, border.events]).toEqual([1, 0]);
  });
});

describe('hostile ring contents', () => {
  test('a tail that cannot be is a fault, and the ring goes on from there', async () => {
    const { border, fired } = opened();
    arm(border, 0, 0);
    await turn(5);
    const { control } = fake.rings;
    control[CONTROL_SUBMISSION_TAIL] = (control[CONTROL_SUBMISSION_TAIL] as number) + SUBMISSION_CAPACITY + 1;
    border.flush();
    expect(control[CONTROL_FAULTS]).toBe(1);
    arm(border, 1, 0);
    await turn(5);
    expect(fired).toEqual([0, 1]);
  });

  test('a head written over changes nothing', async () => {
    const { border, fired } = opened();
    arm(border, 0, 0);
    fake.rings.control[CONTROL_SUBMISSION_HEAD] = 77;
    border.flush();
    await turn(5);
    expect([fired, fake.counters().faults]).toEqual([[0], 0]);
  });

  test.each<[string, (border: Border) => void]>([
    ['an unknown kind', (border) => border.submit(200, 0, 0, 0)],
    ['kind 0', (border) => border.submit(0, 0, 0, 0)],
    ['a slot far beyond the others', (border) => border.submitValue(SUBMISSION_TIMER_ARM, 2 ** 24, 1)],
    ['a slot beyond the gap', (border) => border.submitValue(SUBMISSION_TIMER_ARM, SUBMISSION_CAPACITY + 5, 1)],
    ['a deadline that is no time', (border) => border.submitValue(SUBMISSION_TIMER_ARM, 0, Number.NaN)],
    ['a deadline beyond all', (border) => border.submitValue(SUBMISSION_TIMER_ARM, 0, 1e300)],
    ['a cancel of a slot that never was', (border) => border.submit(SUBMISSION_TIMER_CANCEL, 9999, 0, 0)],
    ['a ref that is neither 0 nor 1', (border) => border.submit(SUBMISSION_TIMER_REF, 0, 2, 0)],
    ['a send on a socket that never was', (border) => border.submit(SUBMISSION_SEND, 5, 0, 10)],
    ['a send with foreign flags', (border) => border.submit(SUBMISSION_SEND | 0x8000, 5, 0, 10)],
    ['a close of what never was', (border) => border.submit(SUBMISSION_CLOSE, 0xffffffff, 0, 0)],
  ])('%s is counted as a fault', (_, submit) => {
    const { border } = opened();
    submit(border);
    border.flush();
    expect(fake.counters().faults).toBe(1);
  });

  test('completions of unknown kinds, of sockets that nobody has, and of slots that nobody armed are passed over', async () => {
    const { border, fired } = opened();
    arm(border, 0, 0);
    for (const [kind, handle] of [
      [COMPLETION_DATA, 5],
      [99, 1],
      [0, 0],
      [COMPLETION_TIMER, 0xffffffff],
    ] as const) {
      fake.rings.push(kind, handle, 0xffffffff, 0xffffffff);
    }
    await turn(5);
    expect(fired).toEqual([0xffffffff, 0]);
  });
});

describe('a drain whose sockets throw', () => {
  test('has taken the records all the same', async () => {
    const { border, fired } = opened();
    arm(border, 0, 0);
    await turn(5);
    border.sockets = {
      complete() {},
      runHandlers: () => {
        throw new Error('handlers');
      },
    };
    fake.rings.push(COMPLETION_TIMER, 7);
    expect(() => border.drain()).toThrow('handlers');
    border.sockets = null;
    border.drain();
    expect(fired).toEqual([0, 7]);
  });
});
