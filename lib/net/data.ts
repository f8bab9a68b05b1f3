import { Buffer } from 'node:buffer';
import { invalidType } from '../internal/errors.js';
import { Chunk } from './chunk.js';

/** What can be written. Strings are sent as UTF-8. */
export type Data = string | Chunk | ArrayBufferView | ArrayBuffer | SharedArrayBuffer;

const EXPECTED = 'a string, a Buffer, a typed array, an ArrayBuffer or a Chunk, or an array of these';

/** Bytes of `data`; of a string how many there are at least. @throws as `bytesOf` */
export function sizeOf(data: Data, name: string): number {
  if (typeof data === 'string') return data.length;
  if (data instanceof Chunk && data.alive) return data.length;
  return bytesOf(data, name).length;
}

/** The bytes of `data`; only those of a string are a copy. @throws TypeError naming `name`; where a chunk is dead. */
export function bytesOf(data: Data, name: string): Uint8Array {
  if (data instanceof Uint8Array && data.length > 0) return data;
  if (typeof data === 'string') return Buffer.from(data);
  if (data instanceof Chunk) return data.bytes;
  if (!ArrayBuffer.isView(data) && !(data instanceof ArrayBuffer) && !(data instanceof SharedArrayBuffer))
    throw invalidType(name, EXPECTED, data);
  try {
    return ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data);
  } catch {
    throw invalidType(name, 'in memory that was not transferred', data);
  }
}
