// What JavaScript submits about sockets, checked as native/io/socket_submissions.cc checks it.
import { constants } from 'node:os';
import {
  FROM_RECEIVE_ARENA,
  RECEIVE_BUFFER_BYTES,
  RECEIVE_BUFFERS,
  RESET,
  SEND_BLOCK_BYTES,
  SEND_BLOCKS,
  SUBMISSION_CLOSE,
  SUBMISSION_DETACH,
  SUBMISSION_NOTIFY_DRAIN,
  SUBMISSION_PAUSE,
  SUBMISSION_RESUME,
  SUBMISSION_SEND,
  SUBMISSION_SHUTDOWN,
  SYSCALL_WRITE,
} from '../layout.js';
import type { FakeNetwork } from './network.js';
import type { Submission } from './rings.js';
import { CONNECTING, ENDED, ENDING, type FakeSocket, LEAVING, OPEN, OWED_CLOSED, OWED_DRAIN } from './socket.js';

const { errno } = constants;
const KIND = 0xff;

/** False: a fault. */
export function applyToSocket(network: FakeNetwork, record: Submission): boolean {
  const kind = record.head & KIND;
  if (kind === SUBMISSION_SEND) return applySend(network, record);
  if ((record.head & ~(KIND | RESET)) !== 0 || !network.sockets.knows(record.handle)) return false;
  if (kind < SUBMISSION_NOTIFY_DRAIN || kind > SUBMISSION_DETACH) return false;
  const socket = network.sockets.lookup(record.handle);
  if (socket === undefined) return true;
  if (socket.isListener && (kind === SUBMISSION_NOTIFY_DRAIN || kind === SUBMISSION_SHUTDOWN)) return false;
  network.busy = true;
  switch (kind) {
    case SUBMISSION_NOTIFY_DRAIN:
      if (socket.phase > OPEN) return true;
      socket.owed &= ~OWED_DRAIN;
      socket.drainLow = record.a;
      socket.checkDrain();
      return true;
    case SUBMISSION_PAUSE:
    case SUBMISSION_RESUME:
      socket.paused = kind === SUBMISSION_PAUSE;
      return true;
    case SUBMISSION_SHUTDOWN:
      socket.finWanted = true;
      return true;
    case SUBMISSION_CLOSE:
      close(socket, (record.head & RESET) !== 0);
      return true;
    case SUBMISSION_DETACH:
      if (socket.phase <= OPEN) socket.detaching = true;
      close(socket, false);
      return true;
    default:
      if (record.a > 1) return false;
      socket.referenced = record.a === 1;
      return true;
  }
}

function applySend(network: FakeNetwork, { head, handle, a: offset, b: length }: Submission): boolean {
  if ((head & ~(KIND | FROM_RECEIVE_ARENA)) !== 0 || !network.sockets.knows(handle)) return false;
  const socket = network.sockets.lookup(handle);
  if (socket?.isListener) return false;
  const received = (head & FROM_RECEIVE_ARENA) !== 0;
  const fits = received
    ? liesWithinOne(offset, length, RECEIVE_BUFFER_BYTES, RECEIVE_BUFFERS)
    : liesWithinOne(offset, length, SEND_BLOCK_BYTES, SEND_BLOCKS);
  if (!fits) return socket !== undefined && refuse(network, socket);
  if (socket === undefined || socket.phase > OPEN || length === 0) return true;
  if (received && !network.arenas.isHeld(Math.floor(offset / RECEIVE_BUFFER_BYTES))) return refuse(network, socket);
  network.busy = true;
  if (socket.finWanted) network.fail(socket, -errno.EPIPE, SYSCALL_WRITE);
  else socket.sends.push(received ? 'receive' : 'send', offset, length);
  return true;
}

function close(socket: FakeSocket, reset: boolean): void {
  if (socket.phase >= ENDED) return;
  if (reset) socket.reset = true;
  // Nothing but Closed comes after a Close.
  socket.owed &= OWED_CLOSED;
  const leavesFirst = !socket.isListener && !socket.reset && socket.phase !== ENDING && socket.phase !== CONNECTING;
  socket.phase = leavesFirst ? LEAVING : ENDING;
}

function refuse(network: FakeNetwork, socket: FakeSocket): false {
  network.fail(socket, -errno.EINVAL, SYSCALL_WRITE);
  return false;
}

/** Inside the arena, and inside one block or buffer of it. */
function liesWithinOne(offset: number, length: number, unitBytes: number, units: number): boolean {
  const arenaBytes = unitBytes * units;
  if (offset > arenaBytes || length > arenaBytes - offset) return false;
  return length === 0 || Math.floor(offset / unitBytes) === Math.floor((offset + length - 1) / unitBytes);
}
