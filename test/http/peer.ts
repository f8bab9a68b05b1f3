// The other end of a connection to a server: it says exactly the bytes that it is told to, and reads replies strictly.
import { expect } from 'vitest';

export interface RawReply {
  readonly status: number;
  readonly reason: string;
  /** By name in small letters; several lines are joined. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly text: string;
  readonly trailers: Readonly<Record<string, string>>;
}

/** A peer, whatever its socket is: that tells what comes, and that it has ended. */
export abstract class Peer {
  #received: Buffer[] = [];
  #length = 0;
  protected ended = false;
  #error: Error | null = null;
  #wake: (() => void) | null = null;

  /** Latin-1: a byte for each character. */
  say(data: string | Buffer): this {
    this.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
    return this;
  }

  protected abstract write(data: Buffer): void;
  /** Ends our side. */
  abstract end(): this;
  abstract pause(): this;
  abstract resume(): this;
  abstract reset(): void;
  abstract destroy(): void;

  get error(): Error | null {
    return this.#error;
  }

  /** The server has ended, or reset, the connection. */
  get isEnded(): boolean {
    return this.ended;
  }

  /** The next reply. @param isHead it has no body, whatever its fields say. */
  async reply(isHead = false): Promise<RawReply> {
    for (;;) {
      const bytes = this.#all();
      const parsed = parseReply(bytes, isHead, this.ended);
      if (parsed !== null) {
        this.#set(bytes.subarray(parsed.length));
        return parsed.reply;
      }
      if (this.ended) throw new Error(`the server ended after ${JSON.stringify(bytes.toString('latin1'))}`);
      await this.#more();
    }
  }

  /** All that the server has said until its end; an error of the connection is thrown. */
  async rest(): Promise<string> {
    await this.closed();
    if (this.#error !== null) throw this.#error;
    return this.#all().toString('latin1');
  }

  /** Waits for the server's end, or reset. */
  async closed(): Promise<void> {
    while (!this.ended) await this.#more();
  }

  /** What no reply has taken, when at least so many bytes have come. */
  async received(bytes: number): Promise<Buffer> {
    while (this.#length < bytes) {
      if (this.ended) throw new Error(`the server ended after ${this.#length} bytes`);
      await this.#more();
    }
    return this.#all();
  }

  /** What has come and no reply has taken. */
  get text(): string {
    return this.#all().toString('latin1');
  }

  protected came(bytes: Buffer): void {
    this.#received.push(bytes);
    this.#length += bytes.length;
    this.#woken();
  }

  protected over(error: Error | null = null): void {
    this.#error ??= error;
    this.ended = true;
    this.#woken();
  }

  #all(): Buffer {
    if (this.#received.length !== 1) this.#set(Buffer.concat(this.#received));
    return this.#received[0] as Buffer;
  }

  #set(bytes: Buffer): void {
    this.#received = [bytes];
    this.#length = bytes.length;
  }

  #woken(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function fieldsOf(lines: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const line of lines) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([^\r\n\0]*)$/.exec(line);
    expect(match, `a field: ${JSON.stringify(line)}`).not.toBeNull();
    const name = (match as RegExpExecArray)[1]?.toLowerCase() as string;
    const value = (match as RegExpExecArray)[2] as string;
    fields[name] = fields[name] === undefined ? value : `${fields[name]}, ${value}`;
  }
  return fields;
}

export function parseReply(bytes: Buffer, isHead: boolean, ended: boolean): { reply: RawReply; length: number } | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const [first = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const line = /^HTTP\/1\.1 (\d{3}) ([^\r\n]*)$/.exec(first);
  if (line === null) throw new Error(`no status line: ${JSON.stringify(first)}`);
  const status = Number(line[1]);
  const headers = fieldsOf(lines);
  const at = headEnd + 4;
  const finish = (body: Buffer, length: number, trailers = {}) => ({
    reply: { status, reason: line[2] as string, headers, body, text: body.toString(), trailers },
    length,
  });
  if (isHead || status < 200 || status === 204 || status === 304) return finish(Buffer.alloc(0), at);
  if (headers['transfer-encoding'] === 'chunked') return parseChunks(bytes, at, finish);
  const announced = headers['content-length'];
  if (announced === undefined) return ended ? finish(bytes.subarray(at), bytes.length) : null;
  const length = Number(announced);
  return bytes.length < at + length ? null : finish(bytes.subarray(at, at + length), at + length);
}

function parseChunks(
  bytes: Buffer,
  start: number,
  finish: (body: Buffer, length: number, trailers?: Record<string, string>) => { reply: RawReply; length: number },
): { reply: RawReply; length: number } | null {
  const parts: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const digits = bytes.toString('latin1', at, lineEnd);
    if (!/^[0-9a-f]+$/.test(digits)) throw new Error(`no size of a chunk: ${JSON.stringify(digits)}`);
    const size = Number.parseInt(digits, 16);
    at = lineEnd + 2;
    if (size === 0) break;
    if (bytes.length < at + size + 2) return null;
    parts.push(bytes.subarray(at, at + size));
    if (bytes.toString('latin1', at + size, at + size + 2) !== '\r\n') throw new Error('a chunk without its end');
    at += size + 2;
  }
  const lines: string[] = [];
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    if (lineEnd === at) return finish(Buffer.concat(parts), at + 2, fieldsOf(lines));
    lines.push(bytes.toString('latin1', at, lineEnd));
    at = lineEnd + 2;
  }
}
