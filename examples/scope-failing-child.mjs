// A scope ends when its tasks have ended; the first failure cancels the others, and is what the scope throws.
// Run: node examples/scope-failing-child.mjs
import { scope, sleep } from 'millrace';

function* careful(name) {
  try {
    yield* sleep(60_000);
  } finally {
    // Runs however the task ends, so what it holds can be given back here.
    console.log(`${name} cleans up`);
  }
}

function* failing() {
  yield* sleep(5);
  throw new Error('the disk is full');
}

const start = performance.now();
try {
  await scope((tasks) => {
    tasks.spawn(careful('first'));
    tasks.spawn(careful('second'));
    tasks.spawn(failing());
  });
} catch (error) {
  console.log(`the scope failed: ${error.message}`);
}
// Not after a minute: the two sleeps were cancelled, and their timers are gone.
console.log(performance.now() - start < 30_000 ? 'and nothing was waited for' : 'too late');
