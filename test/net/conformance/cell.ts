// One cell of the table: a connection is brought into a state, something happens to it, and then both ends say all that
// they may still say and are closed. What came of it is told in one line; what must hold in every cell is checked here.
import { expect } from 'vitest';
import { border } from '../../../lib/internal/border.js';
import type { FakeAddon } from '../../../lib/internal/fake/index.js';
import { armedTimers } from '../../../lib/internal/timers.js';
import { counters } from '../scene.js';
import { type Ends, type Face, makeEnds, type Transport, waitUntil } from './ends.js';
import { type EventName, events } from './events.js';
import { type State, states } from './states.js';

/** How a peer's stream ends that nobody has disturbed, or that itself has done so. */
const HARMLESS = ['end', 'CLOSED'];
const LAST_WORDS_BYTES = 1000;

export interface Cell {
  transport: Transport;
  face: Face;
  state: State;
  event: EventName;
}

/** What came of it: how each operation ended that waited, what the handlers were told, how the peer saw it, the bytes. */
export async function runCell({ transport, face, state, event }: Cell, fake: FakeAddon | null): Promise<string> {
  const before = counters();
  const ends = await makeEnds(transport, face);
  await states[state](ends);
  await events[event](ends, fake);
  await sayTheRest(ends);
  const outcome = told(ends);
  await expectNothingLeft(before);
  return outcome;
}

/** Both say their last words as far as they may, read all that comes, and are closed. */
async function sayTheRest(ends: Ends): Promise<void> {
  const { us, peer } = ends;
  us.socket.setIdleTimeout(0).setWriteTimeout(0);
  peer.socket.resume();
  const heard = peer.readToEnd().then((end) => (peer.end = end));
  if (us.socket.writable && us.socket.bytesQueued < us.socket.writeLimit) us.write(LAST_WORDS_BYTES);
  us.socket.shutdown();
  const listens = us.socket.open || (us.waits.includes('detach') && (await us.inherit(LAST_WORDS_BYTES)));
  // What is sent to a closed socket is answered by a reset, which may overtake what the peer has yet to read.
  if (listens && peer.socket.writable) peer.write(LAST_WORDS_BYTES);
  await waitUntil(
    () => peer.end !== '',
    () => `the peer still reads, ${peer.received} bytes of ${us.written}; we: ${us.events}`,
  );
  await heard;
  peer.socket.shutdown();
  await waitUntil(
    () => us.settled && peer.settled && us.socket.closed && peer.socket.closed,
    () => `waiting: ${us.pending}; we: ${us.events}; the peer: ${peer.events}`,
  );
  if (us.face === 'stream') us.end = await us.readToEnd();
  await us.inherited;
}

function told({ us, peer }: Ends): string {
  for (const end of [us, peer]) end.check();
  const reset = peer.end !== 'end' || us.socket.error !== null;
  const toPeer = us.written - us.lost - peer.received;
  const toUs = peer.written - peer.lost - us.received;
  expect(toPeer, 'bytes that we neither sent nor told as lost').toBeGreaterThanOrEqual(0);
  expect(toUs, 'bytes that the peer neither sent nor told as lost').toBeGreaterThanOrEqual(0);
  if (!reset) expect(toPeer, 'bytes that vanished although nothing broke').toBe(0);
  const bytes =
    us.lost > 0
      ? 'rest told lost'
      : toPeer > 0
        ? 'rest lost under way'
        : toUs > 0
          ? 'exact, theirs not heard'
          : 'exact';
  const errors = us.events.filter((event) => event.startsWith('error'));
  const waited = us.waits.map((name) => `${name} ${us.outcomes.get(name)}`);
  return [
    ...waited,
    ...(us.drains > 0 ? ['drain'] : []),
    ...errors,
    ...(HARMLESS.includes(peer.end) ? [] : [`peer ${peer.end}`]),
    bytes,
  ].join(', ');
}

export async function expectNothingLeft(before: Record<string, number>): Promise<void> {
  for (const name of ['socketsOpen', 'receiveBuffersInUse']) {
    await waitUntil(
      () => counters()[name] === before[name],
      () => `${name}: ${counters()[name]} instead of ${before[name]}`,
    );
  }
  expect(counters().faults).toBe(before.faults);
  expect(armedTimers()).toBe(0);
  expect(border.open().counters().timersArmed).toBe(0);
}
