// What a stream asks of its socket, in the socket's own terms: options, and data as streams hold it.
import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import type { Socket } from './socket.js';

/** A write, as a stream holds it. */
export interface Held {
  chunk: Uint8Array | string;
  encoding: BufferEncoding;
}

/** In the kernel's seconds (tcp(7)). */
const KEEP_ALIVE_IDLE_MAX = 32_767;

/** What a Unix socket does not have is left alone, as in Node. */
export function applyNoDelay(socket: Socket, noDelay: boolean): void {
  try {
    socket.setNoDelay(noDelay);
  } catch {
    // The option is a wish: the socket has gone, or is none of TCP.
  }
}

export function applyKeepAlive(socket: Socket, enable: boolean, initialDelayMs: number): void {
  const idle = Math.min(KEEP_ALIVE_IDLE_MAX, Math.floor(initialDelayMs / 1000));
  try {
    socket.setKeepAlive(enable && idle > 0 ? { idle } : enable);
  } catch {
    // As above.
  }
}

export function isData(data: unknown): data is string | Uint8Array {
  return typeof data === 'string' || data instanceof Uint8Array;
}

function isUtf8(encoding: string): boolean {
  return encoding === 'utf8' || encoding === 'utf-8';
}

export function bytesOf(data: Uint8Array | string, encoding: BufferEncoding): Uint8Array | string {
  return typeof data === 'string' && !isUtf8(encoding) ? Buffer.from(data, encoding) : data;
}

export function sizeOf(data: Uint8Array | string, encoding: BufferEncoding): number {
  return typeof data === 'string' ? Buffer.byteLength(data, encoding) : data.length;
}

/** What the stream holds behind the write that is under way; net.Socket counts the same. */
export function bufferOf(stream: Duplex): readonly Held[] {
  return (stream as Duplex & { writableBuffer?: Held[] }).writableBuffer ?? [];
}
