// The codec and Node's own parser (llhttp, strict) judge the same streams. Whatever they judge differently is in the list
// of rules, with the section that justifies it; a difference that is not there fails.
//
// MILLRACE_SEEDS=n judges n streams instead of those of a usual run.
import { expect, test } from 'vitest';
import { type Difference, RULES } from './codec-differences.js';
import { differenceOf } from './codec-differential.js';
import { generateStream } from './request-generator.js';

const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 30_000);

function describe({ bytes, ours, node, error, nodeError }: Difference): string {
  return JSON.stringify({ bytes, error, nodeError, ours, node }, null, 1);
}

test(`${SEEDS} streams are judged as Node judges them, but for the rules`, () => {
  const used = new Map<string, number>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const difference = differenceOf(generateStream(seed));
    if (difference === null) continue;
    const rule = RULES.find(({ applies }) => applies(difference));
    if (rule === undefined) expect.fail(`no rule for seed ${seed}: ${describe(difference)}`);
    used.set(rule.name, (used.get(rule.name) ?? 0) + 1);
  }
  if (process.env.MILLRACE_SEEDS !== undefined) console.table(Object.fromEntries(used));
});
