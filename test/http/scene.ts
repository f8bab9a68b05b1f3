// What the tests of the HTTP server stand on: servers that are closed when their test has ended, and a client that says
// exactly the bytes that it is told to, and reads replies strictly.
import { type Socket as NodeSocket, connect as nodeConnect } from 'node:net';
import { afterEach, expect } from 'vitest';
import { type HttpServer, type ServeOptions, serve } from '../../lib/http/index.js';

const servers: HttpServer[] = [];
const clients: RawClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  for (const server of servers.splice(0)) await server.close({ drainMs: 0 });
});

export function start(options: ServeOptions): HttpServer {
  const server = serve({ hostname: '127.0.0.1', ...options });
  servers.push(server);
  return server;
}

export interface RawReply {
  readonly status: number;
  readonly reason: string;
  /** By name in small letters; several lines are joined. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly text: string;
  readonly trailers: Readonly<Record<string, string>>;
}

/** A connection that says bytes. */
export class RawClient {
  readonly #socket: NodeSocket;
  #received = Buffer.alloc(0);
  #ended = false;
  #error: Error | null = null;
  #wake: (() => void) | null = null;

  private constructor(socket: NodeSocket) {
    this.#socket = socket;
    const woken = (): void => {
      const wake = this.#wake;
      this.#wake = null;
      wake?.();
    };
    socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      woken();
    });
    socket.on('end', () => {
      this.#ended = true;
      woken();
    });
    socket.on('error', (error) => {
      this.#error = error;
      this.#ended = true;
      woken();
    });
    socket.on('close', () => {
      this.#ended = true;
      woken();
    });
  }

  static async open(server: HttpServer | { port: number }): Promise<RawClient> {
    const socket = nodeConnect({ host: '127.0.0.1', port: server.port, allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const client = new RawClient(socket);
    clients.push(client);
    return client;
  }

  /** Latin-1: a byte for each character. */
  say(data: string | Buffer): this {
    this.#socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
    return this;
  }

  /** Each piece in a packet of its own, as far as that can be: the server has taken one before the next is sent. */
  async sayEach(pieces: readonly (string | Buffer)[]): Promise<this> {
    for (const piece of pieces) {
      await new Promise<void>((resolve) => this.#socket.write(Buffer.from(piece as string, 'latin1'), () => resolve()));
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    return this;
  }

  end(): this {
    this.#socket.end();
    return this;
  }

  pause(): this {
    this.#socket.pause();
    return this;
  }

  resume(): this {
    this.#socket.resume();
    return this;
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  get error(): Error | null {
    return this.#error;
  }

  /** The next reply. @param isHead it has no body, whatever its fields say. */
  async reply(isHead = false): Promise<RawReply> {
    for (;;) {
      const parsed = parseReply(this.#received, isHead, this.#ended);
      if (parsed !== null) {
        this.#received = this.#received.subarray(parsed.length);
        return parsed.reply;
      }
      if (this.#ended) throw new Error(`the server ended after ${JSON.stringify(this.#received.toString('latin1'))}`);
      await this.#more();
    }
  }

  /** All that the server has said until its end; an error of the connection is thrown. */
  async rest(): Promise<string> {
    while (!this.#ended) await this.#more();
    if (this.#error !== null) throw this.#error;
    return this.#received.toString('latin1');
  }

  /** Waits for the server's end, or reset. */
  async closed(): Promise<void> {
    while (!this.#ended) await this.#more();
  }

  /** Waits until so many bytes have come that no reply has taken. */
  async received(bytes: number): Promise<Buffer> {
    while (this.#received.length < bytes) {
      if (this.#ended) throw new Error(`the server ended after ${this.#received.length} bytes`);
      await this.#more();
    }
    return this.#received;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** One request, one reply, on a connection of its own. */
export async function ask(server: HttpServer, request: string | Buffer, isHead = false): Promise<RawReply> {
  const client = await RawClient.open(server);
  const reply = await client.say(request).reply(isHead);
  client.destroy();
  return reply;
}

/** A request of HTTP/1.1. */
export function get(path = '/', ...fields: string[]): string {
  return `GET ${path} HTTP/1.1\r\n${['Host: a', ...fields].map((field) => `${field}\r\n`).join('')}\r\n`;
}

export function post(path: string, body: string, ...fields: string[]): string {
  const all = ['Host: a', `Content-Length: ${Buffer.byteLength(body)}`, ...fields];
  const head = `POST ${path} HTTP/1.1\r\n${all.map((field) => `${field}\r\n`).join('')}\r\n`;
  return head + Buffer.from(body).toString('latin1');
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

function parseReply(bytes: Buffer, isHead: boolean, ended: boolean): { reply: RawReply; length: number } | null {
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
