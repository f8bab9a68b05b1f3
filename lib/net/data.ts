import { Buffer } from 'node:buffer';
import { invalidType } from '../internal/errors.js';
import { Chunk } from './chunk.js';

/** What can be written. Strings are sent as UTF-8. */
export type Data = string | Chunk | ArrayBufferView | ArrayBuffer | SharedArrayBuffer;

const EXPECTED = 'a string, a Buffer, a typed array, an ArrayBuffer or a Chunk, or an array of these';

/** Bytes of `data`; of a string how many there are at least. @throws TypeError naming `name`; where a chunk is dead. */
export function sizeOf(data: Data, name: string): number {
  if (typeof data === 'string') return data.length;
  if (data instanceof Chunk) return data.alive ? data.length : data.bytes.length;
  if (ArrayBuffer.isView(data) || data instanceof ArrayBuffer || data instanceof SharedArrayBuffer)
    return data.byteLength;
  throw invalidType(name, EXPECTED, data);
}

/** The bytes of `data`; only those of a string are a copy. @throws TypeError naming `name`. */
export function bytesOf(data: Data, name: string): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  if (data instanceof Chunk) return data.bytes;
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer || data instanceof SharedArrayBuffer) return new Uint8Array(data);
  throw invalidType(name, EXPECTED, data);
}
