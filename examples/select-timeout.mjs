// The first of several operations wins and the others are cancelled; a time limit is one more operation.
// Run: node examples/select-timeout.mjs
import { select, sleep, spawn, TimeoutError, timeout } from 'millrace';
import { channel } from 'millrace/sync';

const [sender, receiver] = channel(8);

// Wins: a message that is there already. Losing costs nothing: a receive that loses gives its message back.
sender.trySend('an order');
const first = await select({ message: receiver.recv(), tooLate: sleep(1_000) });
console.log(`${first.key}: ${first.value}`);

// Nothing comes any more, so the sleep wins and the receive is taken back.
const second = await select({ message: receiver.recv(), tooLate: sleep(10) });
console.log(second.key);

// `timeout` is for when being late is an error. The function runs as a task of its own, which is cancelled.
function* slow() {
  try {
    yield* sleep(60_000);
  } finally {
    console.log('slow was cancelled');
  }
}
try {
  await timeout(10, slow());
} catch (error) {
  console.log(error instanceof TimeoutError ? error.message : error);
}

// In a fiber the same, with yield*.
function* patient() {
  const { key } = yield* select({ message: receiver.recv(), tooLate: sleep(1_000) });
  return key;
}
const waiting = spawn(patient());
sender.trySend('another');
console.log(`the fiber got a ${await waiting}`);
