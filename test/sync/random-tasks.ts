// Tasks under a random schedule: fibers and async functions from one script, which wait in every way there is, while
// somebody aborts them, cancels their signals and lets their selects be lost at random points. What must hold whatever
// happens is up to each test.
import fc from 'fast-check';
import {
  all,
  CancelToken,
  type Fiber,
  type JoinHandle,
  type Operation,
  type SignalOption,
  select,
  spawn,
  yieldNow,
} from '../../lib/index.js';
import { setRandom } from '../../lib/internal/random.js';
import { Notify } from '../../lib/sync/index.js';

/** How an actor waits for an operation. */
const WAYS = ['plain', 'signal', 'lost', 'raced', 'nested', 'cancelled'] as const;
export type Way = (typeof WAYS)[number];

export interface Step {
  way: Way;
  /** Turns that it lets pass before. */
  pause: number;
  /** Whatever the script makes of it. */
  choice: number;
}

interface ActorPlan {
  fiber: boolean;
  steps: Step[];
}

interface Disturbance {
  /** Turns that pass before it. */
  turns: number;
  actor: number;
  kind: 'abort' | 'signal' | 'stop';
}

export interface Plan {
  actors: ActorPlan[];
  disturbances: Disturbance[];
  seed: number;
}

/** A script waits by yielding an operation, and gives way by a bare yield; it runs as either kind of task. */
export type Script<T = void> = Generator<Operation<unknown> | undefined, T, unknown>;

export type Outcome<T> = { won: true; value: T } | { won: false };
const LOST: Outcome<never> = { won: false };

/** One task of the schedule. */
export class Actor {
  token = new CancelToken();
  readonly stop = new Notify();

  constructor(readonly index: number) {}

  /** Waits for what `begin` begins, in the step's way. */
  *wait<T>(step: Step, begin: (options?: SignalOption) => Operation<T>): Script<Outcome<T>> {
    switch (step.way) {
      case 'plain':
        return { won: true, value: (yield begin()) as T };
      case 'signal': {
        if (this.token.cancelled) this.token = new CancelToken();
        const { token } = this;
        try {
          return { won: true, value: (yield begin({ signal: token })) as T };
        } catch (error) {
          if (token.cancelled && token.reason === error) return LOST;
          throw error;
        }
      }
      case 'lost':
        yield select({ first: all([]), it: begin() }, { biased: true });
        return LOST;
      case 'raced':
        return outcome<T>(yield select({ it: begin(), stop: this.stop.notified() }));
      case 'nested': {
        const inner = select({ it: begin() });
        return outcome<T>(((yield select({ inner, stop: this.stop.notified() })) as { value: unknown }).value);
      }
      case 'cancelled': {
        const operation = begin();
        // Nobody waits for it yet; a failure in the meantime is no unhandled rejection here.
        operation.addWaiter({ wake: () => {} });
        try {
          if (operation.state !== 2) yield undefined;
        } finally {
          operation.cancel('thought better of it');
        }
        try {
          // A result that cannot go back is still there.
          return { won: true, value: (yield operation) as T };
        } catch (error) {
          if ((error as Error).cause === 'thought better of it') return LOST;
          throw error;
        }
      }
    }
  }
}

function outcome<T>(selected: unknown): Outcome<T> {
  const { key, value } = (selected ?? {}) as { key?: string; value: T };
  return key === 'it' ? { won: true, value } : LOST;
}

function* asFiber(script: Script): Fiber<void> {
  let result = script.next();
  while (result.done !== true) {
    let value: unknown;
    let thrown: { error: unknown } | null = null;
    try {
      if (result.value === undefined) yield;
      else value = yield* result.value as Operation<unknown>;
    } catch (error) {
      thrown = { error };
    }
    result = thrown === null ? script.next(value) : script.throw(thrown.error);
  }
}

async function asFunction(script: Script): Promise<void> {
  let result = script.next();
  while (result.done !== true) {
    let value: unknown;
    let thrown: { error: unknown } | null = null;
    try {
      if (result.value === undefined) await yieldNow();
      else value = await result.value;
    } catch (error) {
      thrown = { error };
    }
    result = thrown === null ? script.next(value) : script.throw(thrown.error);
  }
}

function* steps(actor: Actor, plan: ActorPlan, act: (actor: Actor, step: Step) => Script): Script {
  for (const step of plan.steps) {
    for (let turn = 0; turn < step.pause; turn++) yield undefined;
    yield* act(actor, step);
  }
}

export function plans(ways: readonly Way[] = WAYS): fc.Arbitrary<Plan> {
  const step = fc.record({
    way: fc.constantFrom(...ways),
    pause: fc.integer({ min: 0, max: 3 }),
    choice: fc.integer({ min: 0, max: 1000 }),
  });
  const actor = fc.record({ fiber: fc.boolean(), steps: fc.array(step, { minLength: 1, maxLength: 10 }) });
  const disturbance = fc.record({
    turns: fc.integer({ min: 0, max: 4 }),
    actor: fc.nat(100),
    kind: fc.constantFrom('abort' as const, 'signal' as const, 'stop' as const, 'stop' as const),
  });
  return fc.record({
    actors: fc.array(actor, { minLength: 2, maxLength: 7 }),
    disturbances: fc.array(disturbance, { maxLength: 14 }),
    seed: fc.integer(),
  });
}

/** Runs the plan to its end: whoever still waits when nothing happens any more is aborted. */
export async function perform(plan: Plan, act: (actor: Actor, step: Step) => Script): Promise<void> {
  setRandom(numbersFrom(plan.seed));
  try {
    const actors = plan.actors.map((_, index) => new Actor(index));
    const tasks = plan.actors.map((actorPlan, i): JoinHandle<void> => {
      const script = steps(actors[i] as Actor, actorPlan, act);
      return actorPlan.fiber ? spawn(asFiber(script)) : spawn(() => asFunction(script));
    });
    const ends = Promise.allSettled(tasks.map((task) => task.promise()));
    for (const { turns, actor, kind } of plan.disturbances) {
      await turnsPass(turns);
      const index = actor % actors.length;
      if (kind === 'abort') tasks[index]?.abort('disturbed');
      else if (kind === 'signal') actors[index]?.token.cancel('disturbed');
      else actors[index]?.stop.notifyOne();
    }
    await turnsPass(120);
    for (const task of tasks) task.abort('the end');
    for (const end of await ends) {
      if (end.status === 'rejected' && (end.reason as { code?: string }).code !== 'ABORT_ERR') throw end.reason;
    }
  } finally {
    setRandom(undefined);
  }
}

export async function turnsPass(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await yieldNow();
}

/** mulberry32. */
function numbersFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
