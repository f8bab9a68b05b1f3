// Random programs of tasks, and a naive model that says when each of their tasks ends.
//
// Times are large and random, so that two things happen at the same time only where one causes the other.
import type { SeededRandom } from '../../../lib/internal/fake/index.js';

export type Step =
  | { kind: 'sleep'; ms: number }
  | { kind: 'yield'; times: number }
  /** Several children in a scope; its failure is caught. */
  | { kind: 'scope'; id: number; children: Node[]; timeoutMs: number }
  /** A child of its own with a time limit, which is caught. */
  | { kind: 'limit'; ms: number; child: Node }
  | { kind: 'select'; arms: Node[] }
  | { kind: 'throw' };

export interface Node {
  id: number;
  steps: Step[];
}

const MS_MAX = 1_000_000;

export class ProgramMaker {
  nodes = 0;
  scopes = 0;
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  node(depth: number): Node {
    const id = this.nodes++;
    return { id, steps: Array.from({ length: 1 + this.#random.below(4) }, () => this.#step(depth)) };
  }

  #step(depth: number): Step {
    const random = this.#random;
    const kind = random.below(depth > 0 ? 10 : 5);
    if (kind < 3) return { kind: 'sleep', ms: 1 + random.below(MS_MAX) };
    if (kind === 3) return { kind: 'yield', times: 1 + random.below(3) };
    if (kind === 4) return random.chance(0.4) ? { kind: 'throw' } : { kind: 'sleep', ms: 1 + random.below(MS_MAX) };
    if (kind < 8) {
      const timeoutMs = random.chance(0.3) ? 1 + random.below(2 * MS_MAX) : Number.POSITIVE_INFINITY;
      return { kind: 'scope', id: this.scopes++, children: this.#children(depth), timeoutMs };
    }
    if (kind === 8) return { kind: 'limit', ms: 1 + random.below(2 * MS_MAX), child: this.node(depth - 1) };
    return { kind: 'select', arms: this.#children(depth) };
  }

  #children(depth: number): Node[] {
    return Array.from({ length: 1 + this.#random.below(4) }, () => this.node(depth - 1));
  }
}

export interface End {
  ms: number;
  how: 'done' | 'failed' | 'cancelled';
}

export interface Life {
  startMs: number;
  endMs: number;
}

/** When `node` ends that starts at `ms` and is cancelled at `cancelMs`. Notes the lives of it and all below in `lives`. */
export function model(node: Node, ms: number, cancelMs: number, lives: Map<number, Life>): End {
  const end = modelSteps(node, ms, cancelMs, lives);
  lives.set(node.id, { startMs: ms, endMs: end.ms });
  return end;
}

function modelSteps(node: Node, startMs: number, cancelMs: number, lives: Map<number, Life>): End {
  let ms = startMs;
  for (const step of node.steps) {
    switch (step.kind) {
      case 'sleep':
        ms += step.ms;
        break;
      case 'throw':
        return ms <= cancelMs ? { ms, how: 'failed' } : { ms: cancelMs, how: 'cancelled' };
      case 'scope':
        ms = modelScope(step.children, ms, Math.min(cancelMs, ms + step.timeoutMs), lives);
        break;
      case 'limit':
        ms = model(step.child, ms, Math.min(cancelMs, ms + step.ms), lives).ms;
        break;
      case 'select':
        ms = modelSelect(step.arms, ms, cancelMs, lives);
    }
    if (ms >= cancelMs) return { ms: cancelMs, how: 'cancelled' };
  }
  return { ms, how: 'done' };
}

/** The first failure cancels the others; the scope ends with the last of them. */
function modelScope(children: Node[], ms: number, cancelMs: number, lives: Map<number, Life>): number {
  let until = cancelMs;
  for (const child of children) {
    const end = model(child, ms, cancelMs, new Map());
    if (end.how === 'failed') until = Math.min(until, end.ms);
  }
  return Math.max(...children.map((child) => model(child, ms, until, lives).ms));
}

/** The first end, of whichever kind, cancels the others. */
function modelSelect(arms: Node[], ms: number, cancelMs: number, lives: Map<number, Life>): number {
  const first = Math.min(...arms.map((arm) => model(arm, ms, cancelMs, new Map()).ms));
  for (const arm of arms) model(arm, ms, first, lives);
  return first;
}
