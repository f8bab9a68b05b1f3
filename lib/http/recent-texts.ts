// Short ASCII texts that come again and again: the paths of a server's requests. Each is made into a string once and found
// again by its bytes, which costs a third of making it anew. One slot for each hash: whoever comes last stays, so nobody can
// make it grow.
import type { Buffer } from 'node:buffer';

const SLOTS = 1024;
const LENGTH_MAX = 64;

const texts: string[] = new Array<string>(SLOTS).fill('');

/** `memory` from `start` to `end`, which is ASCII, as a string. */
export function recentText(memory: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length > LENGTH_MAX) return memory.toString('latin1', start, end);
  let hash = length;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + (memory[i] as number)) | 0;
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
  const text = texts[slot] as string;
  return text.length === length && isAt(memory, start, text) ? text : remember(memory, start, end, slot);
}

function isAt(memory: Buffer, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (memory[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

function remember(memory: Buffer, start: number, end: number, slot: number): string {
  const text = memory.toString('latin1', start, end);
  texts[slot] = text;
  return text;
}
