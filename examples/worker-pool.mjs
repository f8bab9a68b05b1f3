// Many jobs, a few at a time, each with a time limit and a second try; the results come in the order in which they end.
// Run: node examples/worker-pool.mjs
import { JoinSet, sleep, TimeoutError, timeout } from 'millrace';
import { Semaphore } from 'millrace/sync';

const AT_A_TIME = 2;
const slots = new Semaphore(AT_A_TIME);
let running = 0;
let runningMax = 0;

/** Stands for a request to somewhere. `b` is slow the first time, `d` always. */
function* request(name, attempt) {
  yield* sleep(name === 'd' || (name === 'b' && attempt === 1) ? 60_000 : 2);
  return `${name} after ${attempt === 1 ? 'one try' : `${attempt} tries`}`;
}

function* job(name) {
  const permit = yield* slots.acquire();
  running++;
  runningMax = Math.max(runningMax, running);
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return yield* timeout(20, request(name, attempt));
      } catch (error) {
        if (attempt === 2 || !(error instanceof TimeoutError)) throw error;
      }
    }
  } finally {
    running--;
    permit.release();
  }
}

// A failure in a JoinSet is told as the end of its task; the others go on.
const jobs = new JoinSet();
for (const name of ['a', 'b', 'c', 'd', 'e']) jobs.spawn(job(name), { name });
for await (const { handle, status, value, error } of jobs) {
  console.log(`${handle.name}: ${status === 'completed' ? value : `${status}, ${error.message}`}`);
}
console.log(`at most ${runningMax} at a time`);
