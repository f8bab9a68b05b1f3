// What work leaves behind in memory. One window says little: V8 and the allocator take memory when they like, and what a
// reading before it had not grown to yet counts as left behind. So the same work is done in several rounds, each reading is
// made after a collection, and what counts is the least growth of them: a leak grows in every round.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

/** All that is garbage goes, also what finalizers give back. */
export async function collect() {
  for (let i = 0; i < 3; i++) {
    gc();
    await new Promise(setImmediate);
  }
}

/** The least growth of `rounds` calls of `round`, in bytes: of JavaScript's heap and of the process. The caller warms up. */
export async function leastGrowth(rounds, round) {
  const least = { heapBytes: Number.POSITIVE_INFINITY, residentBytes: Number.POSITIVE_INFINITY };
  let before = await reading();
  for (let i = 0; i < rounds; i++) {
    await round();
    const after = await reading();
    least.heapBytes = Math.min(least.heapBytes, after.heapBytes - before.heapBytes);
    least.residentBytes = Math.min(least.residentBytes, after.residentBytes - before.residentBytes);
    before = after;
  }
  return least;
}

async function reading() {
  await collect();
  const { heapUsed, rss } = process.memoryUsage();
  return { heapBytes: heapUsed, residentBytes: rss };
}
