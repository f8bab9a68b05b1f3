// The file of a Unix domain socket. It outlives its server: bind(2) makes it, and nobody removes it when the server dies.
//
// - A file is told from another of the same name by device, inode and time of its making: inodes are used again.
// - What is removed is first moved aside, and looked at there: between a look and the removal somebody else may have put
//   another file in its place, and that one is put back.
import { linkSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';

let moves = 0;

export class SocketFile {
  readonly path: string;
  readonly identity: string;

  private constructor(path: string, identity: string) {
    this.path = path;
    this.identity = identity;
  }

  /** How long ago it was made, by the system's clock. */
  get ageMs(): number {
    return Date.now() - Number(BigInt(this.identity.slice(this.identity.lastIndexOf(' ') + 1)) / 1_000_000n);
  }

  /** The socket at `path` as it is now; null where there is none, or what is no socket. */
  static at(path: string): SocketFile | null {
    const identity = identityOf(path);
    // The working directory may be another one when it is removed.
    return identity === null ? null : new SocketFile(resolve(path), identity);
  }

  /** Removes it, if it is still this one. True: it is gone, by us or by somebody else. */
  remove(): boolean {
    if (identityOf(this.path) !== this.identity) return false;
    const aside = `${this.path}.${process.pid}.${moves++}`;
    try {
      renameSync(this.path, aside);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT';
    }
    const mine = identityOf(aside) === this.identity;
    try {
      if (!mine) linkSync(aside, this.path);
    } catch {
      // A third one is there by now.
    }
    rmSync(aside, { force: true });
    return mine;
  }
}

function identityOf(path: string): string | null {
  try {
    const stats = lstatSync(path, { bigint: true });
    return stats.isSocket() ? `${stats.dev} ${stats.ino} ${stats.mtimeNs}` : null;
  } catch {
    return null;
  }
}
