// The calls of `node:fs` that sending a file takes, as promises over a plain descriptor: a FileHandle costs twice the time.
import { type BigIntStats, close, fstat, open, read } from 'node:fs';

export function openFile(path: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, flags, (error, descriptor) => (error === null ? resolve(descriptor) : reject(error)));
  });
}

export function statFile(descriptor: number): Promise<BigIntStats> {
  return new Promise((resolve, reject) => {
    fstat(descriptor, { bigint: true }, (error, stats) => (error === null ? resolve(stats) : reject(error)));
  });
}

/** @returns how many bytes there were; 0 at the end of the file. */
export function readFile(
  descriptor: number,
  into: Uint8Array,
  offset: number,
  length: number,
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    read(descriptor, into, offset, length, position, (error, count) =>
      error === null ? resolve(count) : reject(error),
    );
  });
}

export function closeFile(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    close(descriptor, (error) => (error ? reject(error) : resolve()));
  });
}

/** Closes what was never closed, when nobody can do so any more. */
export const abandoned: FinalizationRegistry<number> = new FinalizationRegistry((descriptor) => {
  close(descriptor, () => {});
});
