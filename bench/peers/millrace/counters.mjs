import { servePort } from '../javascript/measure.mjs';

/** Prints the port; when the server is to end, prints how often C++ called JavaScript, and ends. */
export async function serveUntilClosed({ port }) {
  await servePort(port);
  process.stdout.write(`${JSON.stringify(await borderCounters())}\n`, () => process.exit(0));
}

/** The addon's own count, which no public interface needs to carry. */
async function borderCounters() {
  const { border } = await import('../../../dist/lib/internal/border.js');
  const { calls, loopTurns } = border.open().counters();
  return { callsPerTick: calls / loopTurns, eventsPerCall: border.events / calls };
}
