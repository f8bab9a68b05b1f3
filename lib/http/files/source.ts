// A file that is being sent: one descriptor, the state that was promised to the peer, and the proof that it still holds.
//
// What is promised is a length and an entity tag, so a file that is truncated, grows or is written to while it is sent must not
// end as if all were well. It is looked at again before the last piece is given away: a reply that lacks its last piece cannot
// be taken for whole.
import { constants } from 'node:fs';
import { MillraceError } from '../../internal/errors.js';
import { HttpError } from '../http-errors.js';
import { abandoned, closeFile, openFile, readFile, statFile } from './descriptor.js';

/** On Windows there is no such flag, nor are there pipes with names in directories. */
const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants as typeof constants & Record<string, number | undefined>;

const NOT_FOUND = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EISDIR', 'ENXIO', 'EINVAL']);
const FORBIDDEN = new Set(['EACCES', 'EPERM']);

export interface FileSourceOptions {
  /** False: a path whose last part is a symbolic link is not found. Default: true. */
  readonly followLinks?: boolean;
}

export class FileSource {
  readonly path: string;
  /** Bytes, when it was opened. */
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly #descriptor: number;
  /** Calls that are under way: the descriptor's number may be another file's once it is closed. */
  #running = 0;
  #closed: Promise<void> | null = null;
  #idle: (() => void) | null = null;

  private constructor(path: string, descriptor: number, size: number, mtimeNs: bigint) {
    this.path = path;
    this.#descriptor = descriptor;
    this.size = size;
    this.mtimeNs = mtimeNs;
    abandoned.register(this, descriptor, this);
  }

  /**
   * Opens a regular file for reading.
   * @throws HttpError 404 for what is not there or is no regular file, 403 for what must not be read; `cause` is the system's
   * error. Other errors of the system as they are: EMFILE, EIO.
   */
  static async open(path: string, options: FileSourceOptions = {}): Promise<FileSource> {
    const flags = options.followLinks === false ? O_RDONLY | O_NOFOLLOW : O_RDONLY;
    let descriptor: number;
    try {
      // Without O_NONBLOCK a pipe would hold a thread until somebody writes to it.
      descriptor = await openFile(path, flags | O_NONBLOCK);
    } catch (error) {
      throw openFailed(error);
    }
    try {
      const stats = await statFile(descriptor);
      if (!stats.isFile()) throw new HttpError(404);
      return new FileSource(path, descriptor, Number(stats.size), stats.mtimeNs);
    } catch (error) {
      await closeFile(descriptor);
      throw error;
    }
  }

  /**
   * Fills `into` from `position` on.
   * @throws MillraceError `ERR_MILLRACE_HTTP_FILE` if the file ends before, `ERR_MILLRACE_CONSUMED` if it was closed; errors of the
   * system.
   */
  async read(into: Uint8Array, position: number): Promise<void> {
    let filled = 0;
    while (filled < into.length) {
      const from = filled;
      const count = await this.#run((file) => readFile(file, into, from, into.length - from, position + from));
      if (count === 0) throw changed(this.path, `it ends at byte ${position + filled}`);
      filled += count;
    }
  }

  /** @throws MillraceError `ERR_MILLRACE_HTTP_FILE` if size or time of change are not what they were at the opening. */
  async check(): Promise<void> {
    const stats = await this.#run(statFile);
    if (Number(stats.size) !== this.size) throw changed(this.path, `it has ${stats.size} bytes and had ${this.size}`);
    if (stats.mtimeNs !== this.mtimeNs) throw changed(this.path, 'it was written to');
  }

  /** Closes the descriptor, once. What is under way ends first. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    abandoned.unregister(this);
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    await closeFile(this.#descriptor);
  }

  async #run<T>(call: (descriptor: number) => Promise<T>): Promise<T> {
    if (this.#closed !== null) throw new MillraceError('ERR_MILLRACE_CONSUMED', `The file ${this.path} was closed`);
    this.#running++;
    try {
      return await call(this.#descriptor);
    } finally {
      this.#running--;
      if (this.#running === 0) this.#idle?.();
    }
  }
}

function changed(path: string, how: string): MillraceError {
  return new MillraceError('ERR_MILLRACE_HTTP_FILE', `The file ${path} changed while it was sent: ${how}`);
}

/** A message without the path: the peer is shown it. */
export function openFailed(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (NOT_FOUND.has(code)) return new HttpError(404, undefined, { cause: error });
  if (FORBIDDEN.has(code)) return new HttpError(403, undefined, { cause: error });
  return error;
}
