// An operation of somebody else's may throw where ours never do. The queue must outlive it.
import { expect, test } from 'vitest';
import { scheduler } from '../../lib/internal/scheduler.js';
import { spawn } from '../../lib/task/index.js';

test('something in the run queue that throws does not stop the tasks behind it', async () => {
  const task = spawn(() => 'ran');
  let thrown: unknown;
  const behind = new Promise<void>((resolve) => {
    scheduler.enqueue({
      run: () => {
        throw new Error('mine');
      },
    });
    scheduler.enqueue({ run: resolve });
  });
  try {
    scheduler.runQueue();
  } catch (error) {
    thrown = error;
  }
  expect((thrown as Error).message).toBe('mine');
  await behind;
  expect(await task).toBe('ran');
});
