// Runs a random program as fibers or as async functions, and notes what happens.
import { expect } from 'vitest';
import { now, type Scope, scope, select, sleep, spawn, type Task, timeout, yieldNow } from '../../../lib/index.js';
import type { Node, Step } from './program.js';

export type Kind = 'fiber' | 'async';

export class Run {
  /** When each task ended, counted from the start. */
  readonly ends = new Map<number, number>();
  /** Everything that happened, in order. */
  readonly trace: string[] = [];
  readonly #kind: Kind;
  readonly #startMs = now();
  readonly #scopesOver = new Set<number>();
  readonly #started = new Set<number>();

  constructor(kind: Kind) {
    this.#kind = kind;
  }

  get started(): ReadonlySet<number> {
    return this.#started;
  }

  /** Runs `root`, aborted at `abortMs`, to its end. */
  async root(root: Node, abortMs: number): Promise<void> {
    const task = spawn(this.#body(root, -1));
    if (abortMs < Number.POSITIVE_INFINITY) {
      const aborter = spawn(async () => {
        await sleep(abortMs);
        task.abort();
      });
      await Promise.allSettled([task]);
      aborter.abort();
      await Promise.allSettled([aborter]);
    } else {
      await Promise.allSettled([task]);
    }
  }

  #body(node: Node, scopeId: number): () => void {
    const self = this;
    if (this.#kind === 'async') return (async (task: Task) => await self.#async(node, scopeId, task)) as never;
    return function* (task: Task) {
      yield* self.#fiber(node, scopeId, task);
    } as never;
  }

  *#fiber(node: Node, scopeId: number, task: Task) {
    this.#enter(node, scopeId);
    try {
      for (const step of node.steps) {
        this.#look(node, scopeId);
        try {
          if (step.kind === 'sleep') yield* sleep(step.ms);
          else if (step.kind === 'yield') for (let i = 0; i < step.times; i++) yield;
          else if (step.kind === 'scope') yield* this.#scope(step);
          else if (step.kind === 'limit') yield* timeout(step.ms, this.#body(step.child, scopeId) as () => void);
          else if (step.kind === 'select') yield* this.#select(step, scopeId);
          else throw new Error(`thrown by ${node.id}`);
        } catch (error) {
          if (task.cancelled || step.kind === 'throw') throw error;
        } finally {
          if (step.kind === 'scope') this.#scopesOver.add(step.id);
        }
      }
    } finally {
      this.#leave(node);
    }
  }

  async #async(node: Node, scopeId: number, task: Task): Promise<void> {
    this.#enter(node, scopeId);
    try {
      for (const step of node.steps) {
        this.#look(node, scopeId);
        try {
          if (step.kind === 'sleep') await sleep(step.ms);
          else if (step.kind === 'yield') for (let i = 0; i < step.times; i++) await yieldNow();
          else if (step.kind === 'scope') await this.#scope(step);
          else if (step.kind === 'limit') await timeout(step.ms, this.#body(step.child, scopeId) as () => void);
          else if (step.kind === 'select') await this.#select(step, scopeId);
          else throw new Error(`thrown by ${node.id}`);
        } catch (error) {
          if (task.cancelled || step.kind === 'throw') throw error;
        } finally {
          if (step.kind === 'scope') this.#scopesOver.add(step.id);
        }
      }
    } finally {
      this.#leave(node);
    }
  }

  #scope(step: Step & { kind: 'scope' }) {
    const spawnAll = (tasks: Scope): void => {
      for (const child of step.children) tasks.spawn(this.#body(child, step.id) as () => void);
    };
    return scope(spawnAll, step.timeoutMs < Number.POSITIVE_INFINITY ? { timeoutMs: step.timeoutMs } : {});
  }

  /** A loser's own end is not waited for, but it comes at the same time. */
  #select(step: Step & { kind: 'select' }, scopeId: number) {
    return select(Object.fromEntries(step.arms.map((arm, i) => [`arm${i}`, this.#body(arm, scopeId) as () => void])));
  }

  #enter(node: Node, scopeId: number): void {
    expect(this.#started.has(node.id), `task ${node.id} starts once`).toBe(false);
    this.#started.add(node.id);
    this.#look(node, scopeId);
    this.#note('enters', node);
  }

  #look(node: Node, scopeId: number): void {
    if (this.#scopesOver.has(scopeId)) throw new TypeError(`task ${node.id} runs after its scope ${scopeId} has ended`);
  }

  #leave(node: Node): void {
    expect(this.ends.has(node.id), `task ${node.id} ends once`).toBe(false);
    this.ends.set(node.id, now() - this.#startMs);
    this.#note('leaves', node);
  }

  #note(what: string, node: Node): void {
    this.trace.push(`${now() - this.#startMs} ${node.id} ${what}`);
  }
}
