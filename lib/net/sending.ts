// Bytes on their way into the send arena. Each function tells how many bytes it has submitted: fewer than it was given
// when the arena is full, which is so only while the kernel reads all of it.
import { type Buffer, Buffer as NodeBuffer } from 'node:buffer';
import { border } from '../internal/border.js';
import { FROM_RECEIVE_ARENA, SEND_BLOCK_BYTES, SUBMISSION_SEND } from '../internal/layout.js';
import type { Arenas } from './arenas.js';
import type { Chunk } from './chunk.js';

/** Texts of at most so many code units fit into a block, whatever they are made of. */
export const TEXT_LENGTH_MAX = Math.floor(SEND_BLOCK_BYTES / 3);

/** From here on a copy costs more than a system call of its own. */
const AT_ONCE_BYTES = 16 * 1024;

/** -1: the arena is full. */
export function sendText(arenas: Arenas, handle: number, text: string): number {
  const bytesMax = text.length * 3;
  if (bytesMax === 0) return 0;
  const offset = arenas.reserve(bytesMax, true);
  if (offset < 0) return -1;
  const length = arenas.sends.write(text, offset, bytesMax, 'utf8');
  arenas.commit(length);
  border.submit(SUBMISSION_SEND, handle, offset, length);
  return length;
}

/** As `sendText`, of text whose code units are below 256: a byte each. At most a block. -1: the arena is full. */
export function sendLatin1(arenas: Arenas, handle: number, text: string): number {
  const { length } = text;
  if (length === 0) return 0;
  const offset = arenas.reserve(length, true);
  if (offset < 0) return -1;
  arenas.sends.write(text, offset, length, 'latin1');
  arenas.commit(length);
  border.submit(SUBMISSION_SEND, handle, offset, length);
  return length;
}

/** Up to here text is written by its code units: to flatten it and to enter C++ costs more than these. */
const BY_UNITS_MAX = 24;
/** From here on three times its length is more room than one may ask for, and looking at it first is cheaper. */
const MEASURED_LENGTH = 4096;
/** Of `sendAscii`: with a head of any sensible length it fits into a block. */
export const ASCII_LENGTH_MAX = SEND_BLOCK_BYTES / 2;

/**
 * `head`, and behind it `text` where that is ASCII: as many bytes as it has code units, which `head` tells of it. -1: the
 * text has other characters, or the arena no room, and nothing is sent.
 */
export function sendAscii(arenas: Arenas, handle: number, head: Uint8Array, text: string): number {
  const { length } = text;
  const isMeasured = length >= MEASURED_LENGTH;
  if (isMeasured && NodeBuffer.byteLength(text) !== length) return -1;
  const offset = arenas.reserve(head.length + (isMeasured ? length : length * 3), true);
  if (offset < 0) return -1;
  const { sends } = arenas;
  const at = offset + head.length;
  if (length <= BY_UNITS_MAX) {
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return -1;
      sends[at + i] = unit;
    }
  } else if (isMeasured) {
    sends.write(text, at, length, 'latin1');
  } else if (sends.write(text, at, length * 3, 'utf8') !== length) {
    return -1;
  }
  sends.set(head, offset);
  arenas.commit(head.length + length);
  border.submit(SUBMISSION_SEND, handle, offset, head.length + length);
  return head.length + length;
}

/**
 * @param idle whether nothing of this socket is queued or submitted: then so much is sent at once, out of the caller's
 * memory. Copying it would cost more than the system call that it shares with others otherwise.
 */
export function sendBytes(arenas: Arenas, handle: number, bytes: Uint8Array, idle: boolean): number {
  const { length } = bytes;
  let sent = idle && length >= AT_ONCE_BYTES ? border.open().send(handle, bytes, 0, length) : 0;
  while (sent < length) {
    const offset = arenas.reserve(length - sent, false);
    if (offset < 0) break;
    const part = Math.min(length - sent, arenas.room);
    arenas.sends.set(part === length ? bytes : bytes.subarray(sent, sent + part), offset);
    arenas.commit(part);
    border.submit(SUBMISSION_SEND, handle, offset, part);
    sent += part;
  }
  return sent;
}

/** Out of the receive buffer in which it lies: no copy. */
export function sendChunk(handle: number, chunk: Chunk): number {
  border.submit(SUBMISSION_SEND | FROM_RECEIVE_ARENA, handle, chunk.offset, chunk.length);
  return chunk.length;
}

/** Whether `chunk` lies where the kernel received it. */
export function isReceived(arenas: Arenas, chunk: Chunk): boolean {
  return chunk.memory === (arenas.received as Buffer);
}
