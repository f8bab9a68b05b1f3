// What asks for the deadline has to be told the nearest one, wherever in the task it asks.
import { expect, test } from 'vitest';
import { CancelToken, type Scope, scope, select, type Task, timeout } from '../../lib/index.js';

test('a function that is limited, or an arm of a select, inherits the deadline of the scope around it', async () => {
  await scope(
    async (outer: Scope) => {
      const limited = await timeout(10_000, (task: Task) => task.token.deadlineMs);
      expect(limited).toBe(outer.deadlineMs);
      const { value } = await select({ arm: (task: Task) => task.token.deadlineMs });
      expect(value).toBe(outer.deadlineMs);
      const nested = await timeout(10_000, () => scope((inner: Scope) => inner.deadlineMs));
      expect(nested).toBe(outer.deadlineMs);
    },
    { timeoutMs: 60_000 },
  );
});

test('a scope with a signal of its own inherits the deadline around it', async () => {
  await scope(
    async (outer: Scope) => {
      const inner = await scope((own: Scope) => own.deadlineMs, { signal: new CancelToken() });
      expect(inner).toBe(outer.deadlineMs);
    },
    { timeoutMs: 60_000 },
  );
});
