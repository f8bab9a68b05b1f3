// A service that on SIGTERM or SIGINT begins nothing new, finishes what it has begun, and gives up after a time limit.
// Run: node examples/graceful-shutdown.mjs, then press Ctrl+C
import { CancelToken, scope, shield, sleep, timeout } from 'millrace';

const stopping = new CancelToken();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopping.cancel(signal));

let begun = 0;
let finished = 0;

/** Must not be left half done. */
function* order() {
  begun++;
  yield* sleep(20);
  finished++;
}

function* clerk(name) {
  try {
    for (;;) {
      yield* sleep(5); // stands for waiting for an order: here a cancellation ends the task
      yield* shield(order()); // into here it does not reach
    }
  } finally {
    console.log(`${name} went home`);
  }
}

const service = scope(
  (tasks) => {
    tasks.spawn(clerk('Ann'));
    tasks.spawn(clerk('Bob'));
    console.log('open');
  },
  { signal: stopping },
);

try {
  await service;
} catch (error) {
  // The service has ended, its tasks with it. What comes after has a limit of its own.
  console.log(`closed by ${error.cause}`);
}
await timeout(1_000, sleep(1)); // stands for saying goodbye to a database
console.log(begun === finished ? 'no order was left half done' : `${begun - finished} orders were left half done`);
