// Micro benchmarks of synchronous hot paths, with the npm package `benchmark`: `npm run bench:micro`.
// They tell where a nanosecond went after the race has told that one is missing; they are not the race.
import { formatNs, formatPercent } from '../format.js';
import { LONG, parseRequests, SHORT } from './codec.js';
import { type MicroResult, measureDeferred, measureSync } from './measure.js';
import { armAndDisarm, ringWrite, ringWriteDrained, SPAWNS_PER_BATCH, spawnBatch } from './paths.js';
import { answerRequests, HELLO } from './replies.js';

const results: MicroResult[] = [
  await measureSync('ring write: one record into the submission ring', ringWrite()),
  await measureSync('ring write, with its share of the drain by C++', ringWriteDrained()),
  await measureSync('wheel: arm and disarm a timer, drained by C++', armAndDisarm()),
  await measureDeferred(`spawn and run an empty fiber (of ${SPAWNS_PER_BATCH})`, SPAWNS_PER_BATCH, spawnBatch),
  await measureSync('HTTP codec: a short request, with the call', parseRequests(SHORT, 1)),
  await measureSync('HTTP codec: 16 short requests in one call', parseRequests(SHORT, 16)),
  await measureSync('HTTP codec: a request of 12 fields', parseRequests(LONG, 1)),
  await measureSync('HTTP: a short request and its reply, no kernel', answerRequests(HELLO, 1)),
  await measureSync('HTTP: 16 of them that came together', answerRequests(HELLO, 16)),
  await measureSync('HTTP: a request of 12 fields and its reply', answerRequests(LONG, 1)),
];

for (const { name, nsPerOperation, relativeError, samples } of results) {
  process.stdout.write(
    `${name.padEnd(52)} ${formatNs(nsPerOperation).padStart(9)}  ±${formatPercent(relativeError)}  ${samples} samples\n`,
  );
}
