import { getSystemErrorMap } from 'node:util';
import { SystemError } from '../internal/errors.js';
import { SYSCALL_ACCEPT, SYSCALL_CONNECT, SYSCALL_READ, SYSCALL_SHUTDOWN, SYSCALL_WRITE } from '../internal/layout.js';

const SYSCALLS: Record<number, string> = {
  [SYSCALL_READ]: 'read',
  [SYSCALL_WRITE]: 'write',
  [SYSCALL_ACCEPT]: 'accept',
  [SYSCALL_CONNECT]: 'connect',
  [SYSCALL_SHUTDOWN]: 'shutdown',
};

/** The error for a negative errno, with Node's code and libuv's sentence. */
export function systemError(errno: number, syscall: string | number, address?: string, port?: number): SystemError {
  const [code, detail] = getSystemErrorMap().get(errno) ?? [`E${-errno}`, 'unknown error'];
  const name = typeof syscall === 'number' ? (SYSCALLS[syscall] ?? 'socket') : syscall;
  return new SystemError(code, errno, name, detail, address, port);
}

/** An abstract name begins with NUL, which tools show as @. */
export function shownPath(path: string): string {
  return path.startsWith('\0') ? `@${path.slice(1)}` : path;
}
