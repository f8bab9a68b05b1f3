// Options of the fake's sockets: kept, and without effect. What may be set where is as on Linux.
import { constants } from 'node:os';
import {
  SOCKET_OPTION_KEEP_ALIVE,
  SOCKET_OPTION_KEEP_ALIVE_COUNT,
  SOCKET_OPTION_KEEP_ALIVE_IDLE,
  SOCKET_OPTION_KEEP_ALIVE_INTERVAL,
  SOCKET_OPTION_LINGER,
  SOCKET_OPTION_NO_DELAY,
  SOCKET_OPTION_RECEIVE_BUFFER,
  SOCKET_OPTION_SEND_BUFFER,
} from '../layout.js';
import type { FakeSocket } from './socket.js';

const { errno } = constants;

interface Known {
  initial: number;
  min: number;
  max: number;
  tcpOnly: boolean;
}

const KNOWN = new Map<number, Known>([
  [SOCKET_OPTION_NO_DELAY, { initial: 1, min: 0, max: 1, tcpOnly: true }],
  [SOCKET_OPTION_KEEP_ALIVE, { initial: 0, min: 0, max: 1, tcpOnly: false }],
  [SOCKET_OPTION_KEEP_ALIVE_IDLE, { initial: 7200, min: 1, max: 32_767, tcpOnly: true }],
  [SOCKET_OPTION_KEEP_ALIVE_INTERVAL, { initial: 75, min: 1, max: 32_767, tcpOnly: true }],
  [SOCKET_OPTION_KEEP_ALIVE_COUNT, { initial: 9, min: 1, max: 127, tcpOnly: true }],
  [SOCKET_OPTION_SEND_BUFFER, { initial: 212_992, min: 0, max: 2 ** 31 - 1, tcpOnly: false }],
  [SOCKET_OPTION_RECEIVE_BUFFER, { initial: 212_992, min: 0, max: 2 ** 31 - 1, tcpOnly: false }],
  [SOCKET_OPTION_LINGER, { initial: -1, min: -1, max: 65_535, tcpOnly: false }],
]);

/** 0, or a negative errno. */
export function setOption(socket: FakeSocket | undefined, option: number, value: number): number {
  const known = KNOWN.get(option);
  const error = errorOf(socket, known);
  if (error !== 0) return error;
  const { min, max } = known as Known;
  if (!(value >= min && value <= max)) return -errno.EINVAL;
  (socket as FakeSocket).options.set(option, value);
  return 0;
}

/** The value, or a negative errno; but -1 of Linger is a value. */
export function getOption(socket: FakeSocket | undefined, option: number): number {
  const known = KNOWN.get(option);
  return errorOf(socket, known) || ((socket as FakeSocket).options.get(option) ?? (known as Known).initial);
}

function errorOf(socket: FakeSocket | undefined, known: Known | undefined): number {
  if (known === undefined) return -errno.EINVAL;
  if (socket === undefined) return -errno.EBADF;
  return known.tcpOnly && socket.target.family === 'Unix' ? -errno.ENOTSUP : 0;
}
