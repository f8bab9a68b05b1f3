// Every state of a socket crossed with everything that may happen to it. A cell says what comes of it:
//
//   read bytes | end | CODE   how each operation ended that waited; 'CLOSED' is ERR_MILLRACE_SOCKET_CLOSED, 'TIMEOUT'
//                             ERR_MILLRACE_TIMEOUT, 'ABORTED' ABORT_ERR
//   drain                     the `drain` handler was called: once
//   error CODE                the `error` handler was called: once
//   peer CODE                 how the peer saw the end, when it did not just see the end of the stream
//   exact                     every byte written by either was received by the other
//   rest told lost            what we wrote and the peer did not get is the `lostBytes` of `close`, as far as it had not
//                             left for the peer's kernel when that was reset
//   theirs not heard          what the peer wrote was not wanted any more
//
// Where the connection lives on, both write and read what they still may after the event, and end their sides.
import type { Cell } from './cell.js';
import type { Face, Transport } from './ends.js';
import type { EventName } from './events.js';
import type { State } from './states.js';

/** Over TCP, read as a stream. */
export const table: Record<State, Record<EventName, string>> = {
  open: {
    'reset by the peer': 'read ECONNRESET, error ECONNRESET, exact',
    'FIN of the peer': 'read bytes, exact',
    'idle timeout': 'read TIMEOUT, error TIMEOUT, peer ECONNRESET, exact',
    'write timeout': 'read bytes, exact',
    cancellation: 'read ABORTED, exact',
    'out of receive buffers': 'read bytes, exact',
    'out of descriptors': 'read bytes, exact',
    'partial writes': 'read bytes, exact',
    '1-byte fragments': 'read bytes, exact',
    destroy: 'read CLOSED, peer ECONNRESET, exact',
    close: 'read end, close done, exact',
    shutdown: 'read bytes, exact',
    detach: 'read end, detach done, exact',
  },
  'write-queued': {
    'reset by the peer': 'read ECONNRESET, write ECONNRESET, error ECONNRESET, rest told lost',
    'FIN of the peer': 'read bytes, write done, exact',
    'idle timeout': 'read TIMEOUT, write TIMEOUT, error TIMEOUT, peer ECONNRESET, rest told lost',
    'write timeout': 'read TIMEOUT, write TIMEOUT, error TIMEOUT, peer ECONNRESET, rest told lost',
    cancellation: 'read ABORTED, write ABORTED, drain, exact',
    'out of receive buffers': 'read bytes, write done, drain, exact',
    'out of descriptors': 'read bytes, write done, drain, exact',
    'partial writes': 'read bytes, write done, drain, exact',
    '1-byte fragments': 'read bytes, write done, drain, exact',
    destroy: 'read CLOSED, write CLOSED, peer ECONNRESET, rest told lost',
    close: 'read end, write done, close done, exact',
    shutdown: 'read bytes, write done, drain, exact',
    detach: 'read end, write done, detach done, exact',
  },
  full: {
    'reset by the peer': 'read ECONNRESET, write ECONNRESET, error ECONNRESET, rest told lost',
    'FIN of the peer': 'read bytes, write done, exact',
    'idle timeout': 'read TIMEOUT, write TIMEOUT, error TIMEOUT, peer ECONNRESET, rest told lost',
    'write timeout': 'read TIMEOUT, write TIMEOUT, error TIMEOUT, peer ECONNRESET, rest told lost',
    cancellation: 'read ABORTED, write ABORTED, drain, exact',
    'out of receive buffers': 'read bytes, write done, drain, exact',
    'out of descriptors': 'read bytes, write done, drain, exact',
    'partial writes': 'read bytes, write done, drain, exact',
    '1-byte fragments': 'read bytes, write done, drain, exact',
    destroy: 'read CLOSED, write CLOSED, peer ECONNRESET, rest told lost',
    close: 'read end, write done, close done, exact',
    shutdown: 'read bytes, write done, drain, exact',
    detach: 'read end, write done, detach done, exact',
  },
  'half-closed by us': {
    'reset by the peer': 'read ECONNRESET, error ECONNRESET, exact',
    'FIN of the peer': 'read bytes, exact',
    'idle timeout': 'read TIMEOUT, error TIMEOUT, exact',
    'write timeout': 'read bytes, exact',
    cancellation: 'read ABORTED, exact',
    'out of receive buffers': 'read bytes, exact',
    'out of descriptors': 'read bytes, exact',
    'partial writes': 'read bytes, exact',
    '1-byte fragments': 'read bytes, exact',
    destroy: 'read CLOSED, exact',
    close: 'read end, close done, exact',
    shutdown: 'read bytes, exact',
    detach: 'read bytes, detach CLOSED, exact',
  },
  'half-closed by the peer': {
    'reset by the peer': 'write ECONNRESET, error ECONNRESET, rest told lost',
    'FIN of the peer': 'write done, exact',
    'idle timeout': 'write TIMEOUT, error TIMEOUT, peer ECONNRESET, rest told lost',
    'write timeout': 'write TIMEOUT, error TIMEOUT, peer ECONNRESET, rest told lost',
    cancellation: 'write ABORTED, exact',
    'out of receive buffers': 'write done, exact',
    'out of descriptors': 'write done, exact',
    'partial writes': 'write done, exact',
    '1-byte fragments': 'write done, exact',
    destroy: 'write CLOSED, peer ECONNRESET, rest told lost',
    close: 'write done, close done, exact',
    shutdown: 'write done, exact',
    detach: 'write done, detach done, exact',
  },
  closing: {
    'reset by the peer': 'read end, write CLOSED, close done, rest told lost',
    'FIN of the peer': 'read end, write done, close done, exact, theirs not heard',
    'idle timeout': 'read TIMEOUT, write TIMEOUT, close done, error TIMEOUT, peer ECONNRESET, rest told lost',
    'write timeout': 'read TIMEOUT, write TIMEOUT, close done, error TIMEOUT, peer ECONNRESET, rest told lost',
    cancellation: 'read ABORTED, write ABORTED, close ABORTED, exact',
    'out of receive buffers': 'read end, write done, close done, exact, theirs not heard',
    'out of descriptors': 'read end, write done, close done, exact',
    'partial writes': 'read end, write done, close done, exact',
    '1-byte fragments': 'read end, write done, close done, exact, theirs not heard',
    destroy: 'read CLOSED, write CLOSED, close done, peer ECONNRESET, rest told lost',
    close: 'read end, write done, close done, close again done, exact',
    shutdown: 'read end, write done, close done, exact',
    detach: 'read end, write done, close done, detach CLOSED, exact',
  },
  detaching: {
    'reset by the peer': 'read end, write CLOSED, detach CLOSED, rest told lost',
    'FIN of the peer': 'read end, write done, detach done, exact',
    'idle timeout': 'read TIMEOUT, write TIMEOUT, detach TIMEOUT, error TIMEOUT, peer ECONNRESET, rest told lost',
    'write timeout': 'read TIMEOUT, write TIMEOUT, detach TIMEOUT, error TIMEOUT, peer ECONNRESET, rest told lost',
    cancellation: 'read ABORTED, write ABORTED, detach ABORTED, exact',
    'out of receive buffers': 'read end, write done, detach done, exact',
    'out of descriptors': 'read end, write done, detach done, exact',
    'partial writes': 'read end, write done, detach done, exact',
    '1-byte fragments': 'read end, write done, detach done, exact',
    destroy: 'read CLOSED, write CLOSED, detach CLOSED, peer ECONNRESET, rest told lost',
    close: 'read end, write done, detach done, close done, exact',
    shutdown: 'read end, write done, detach done, exact',
    detach: 'read end, write done, detach done, detach again CLOSED, exact',
  },
};

/** A Unix socket has no resets: the peer sees the end of the stream, and that writing fails (unix(7)). */
const unix: Partial<Record<State, Partial<Record<EventName, string>>>> = {
  open: { 'reset by the peer': 'read end, rest told lost' },
  'half-closed by us': { 'reset by the peer': 'read end, exact' },
};

/** What the fake can be made to do whenever it suits, and a kernel cannot: test/reliability does it to a process. */
const fakeOnly: readonly EventName[] = ['out of receive buffers', 'out of descriptors'];

/** The fake's descriptors are numbers that nobody can close. */
function isOnKernelOnly(state: State, event: EventName): boolean {
  return state === 'detaching' && event === 'cancellation';
}

export interface Expected extends Cell {
  name: string;
  outcome: string;
}

/** The cells that the fake, or a real kernel, can be brought to. */
export function cellsOf(on: 'fake' | 'kernel', transport: Transport, face: Face): Expected[] {
  const cells: Expected[] = [];
  for (const [state, row] of Object.entries(table) as [State, Record<EventName, string>][]) {
    for (const [event, common] of Object.entries(row) as [EventName, string][]) {
      if (on === 'kernel' ? fakeOnly.includes(event) : isOnKernelOnly(state, event)) continue;
      const parts = ((transport === 'unix' ? unix[state]?.[event] : undefined) ?? common).split(', ');
      const outcome = parts
        .filter((part) => transport === 'tcp' || part !== 'peer ECONNRESET')
        .filter((part) => face === 'stream' || !part.startsWith('read '))
        .join(', ');
      cells.push({ name: `${state}, ${event}: ${outcome}`, transport, face, state, event, outcome });
    }
  }
  return cells;
}
