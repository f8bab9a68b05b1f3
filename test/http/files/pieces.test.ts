import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, test } from 'vitest';
import { FilePieces, FileSource, planFile } from '../../../lib/http/files/index.js';

const base = mkdtempSync(join(tmpdir(), 'millrace-pieces-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

let files = 0;
/** Each byte tells where it is. */
function make(size: number): { path: string; bytes: Buffer } {
  const path = join(base, `file-${files++}`);
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = (i >> 8) ^ i;
  writeFileSync(path, bytes);
  return { path, bytes };
}

async function body(path: string, fields: Record<string, string> = {}, pieceBytes?: number): Promise<Buffer> {
  const source = await FileSource.open(path);
  const plan = planFile('GET', new Headers(fields), source, { type: 'text/plain' });
  const pieces: Buffer[] = [];
  for await (const piece of new FilePieces(source, plan, pieceBytes)) pieces.push(Buffer.from(piece));
  const all = Buffer.concat(pieces);
  expect(all.length).toBe(plan.length);
  return all;
}

/** What this process has open of the test's files; where the system does not tell, nothing. */
function openDescriptors(): string[] {
  if (!existsSync('/proc/self/fd')) return [];
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(base) ? [path] : [];
    } catch {
      // The descriptor of the listing itself.
      return [];
    }
  });
}

const CHANGED = expect.objectContaining({ code: 'ERR_MILLRACE_HTTP_FILE' });

describe('the bytes of a file', () => {
  test.each([0, 1, 65_536, 131_071, 131_072, 131_073, 1_000_000])('come whole: %i', async (size) => {
    const { path, bytes } = make(size);
    expect((await body(path)).equals(bytes)).toBe(true);
    expect((await body(path, {}, 65_536)).equals(bytes)).toBe(true);
  });

  test('of a range, and of several', async () => {
    const { path, bytes } = make(1_000_000);
    expect((await body(path, { range: 'bytes=200000-799999' })).equals(bytes.subarray(200_000, 800_000))).toBe(true);
    const parts = await body(path, { range: 'bytes=0-299999,-5,500000-500009' });
    for (const [from, to] of [
      [0, 300_000],
      [999_995, 1_000_000],
      [500_000, 500_010],
    ] as const) {
      const head = `Content-Range: bytes ${from}-${to - 1}/1000000\r\n\r\n`;
      const at = parts.indexOf(head) + head.length;
      expect(at).toBeGreaterThan(head.length);
      expect(parts.subarray(at, at + to - from).equals(bytes.subarray(from, to))).toBe(true);
    }
  });

  test('of two at the same time do not mix', async () => {
    const [one, other] = [make(700_000), make(900_000)];
    other.bytes.fill(7);
    writeFileSync(other.path, other.bytes);
    const [first, second] = await Promise.all([body(one.path), body(other.path)]);
    expect(first.equals(one.bytes)).toBe(true);
    expect(second.equals(other.bytes)).toBe(true);
  });

  test('are read no further than one piece ahead', async () => {
    const { path } = make(1_000_000);
    const source = await FileSource.open(path);
    const reads: number[] = [];
    const read = source.read.bind(source);
    source.read = (into, position) => {
      reads.push(position);
      return read(into, position);
    };
    const pieces = new FilePieces(source, planFile('GET', new Map(), source, { type: 'x/y' }), 65_536);
    expect(reads).toEqual([]);
    await pieces.next();
    expect(reads).toEqual([0, 65_536]);
    await pieces.next();
    expect(reads).toEqual([0, 65_536, 131_072]);
    await pieces.return();
  });
});

describe('a file that changes while it is sent is not sent to its end', () => {
  /** Takes two pieces, changes the file, takes the rest. Gives how many bytes came before the error. */
  async function sendAndChange(change: (path: string) => void): Promise<number> {
    const { path } = make(1_000_000);
    const source = await FileSource.open(path);
    const pieces = new FilePieces(source, planFile('GET', new Map(), source, { type: 'x/y' }));
    let sent = 0;
    await expect(
      (async () => {
        for (let turn = 0; ; turn++) {
          const { done, value } = await pieces.next();
          if (done === true) return;
          sent += value.length;
          if (turn === 1) change(path);
        }
      })(),
    ).rejects.toEqual(CHANGED);
    expect(openDescriptors()).toEqual([]);
    return sent;
  }

  test('truncated', async () => {
    expect(await sendAndChange((path) => truncateSync(path, 500_000))).toBeLessThan(1_000_000);
  });

  test('longer', async () => {
    expect(await sendAndChange((path) => appendFileSync(path, 'x'))).toBeLessThan(1_000_000);
  });

  test('of the same length, and written to', async () => {
    expect(await sendAndChange((path) => utimesSync(path, 1, 1))).toBeLessThan(1_000_000);
  });

  test('and one that is replaced by another of its name is, as it was', async () => {
    const { path, bytes } = make(500_000);
    const source = await FileSource.open(path);
    rmSync(path);
    writeFileSync(path, 'another');
    const pieces: Buffer[] = [];
    const plan = planFile('GET', new Map(), source, { type: 'x/y' });
    for await (const piece of new FilePieces(source, plan)) pieces.push(Buffer.from(piece));
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
  });

  test('also one of a single piece', async () => {
    const { path } = make(100);
    const source = await FileSource.open(path);
    const pieces = new FilePieces(source, planFile('GET', new Map(), source, { type: 'x/y' }));
    appendFileSync(path, 'x');
    await expect(pieces.next()).rejects.toEqual(CHANGED);
  });
});

describe('the descriptor is closed', () => {
  test('at the end, after a break, and if nothing was asked for', async () => {
    const { path } = make(500_000);
    await body(path);
    const open = async (): Promise<FilePieces> => {
      const source = await FileSource.open(path);
      return new FilePieces(source, planFile('GET', new Map(), source, { type: 'x/y' }));
    };
    for await (const _ of await open()) break;
    await (await open()).return();
    const pieces = await open();
    await Promise.all([pieces.next(), pieces.return()]);
    await expect(
      (async () => {
        for await (const _ of await open()) throw new Error('the peer has gone');
      })(),
    ).rejects.toThrow('the peer has gone');
    expect(openDescriptors()).toEqual([]);
  });

  test('after what is under way, and nothing begins then', async () => {
    const { path, bytes } = make(300_000);
    const source = await FileSource.open(path);
    const into = Buffer.alloc(300_000);
    const read = source.read(into, 0);
    const closed = source.close();
    await expect(source.check()).rejects.toMatchObject({ code: 'ERR_MILLRACE_CONSUMED' });
    await read;
    expect(into.equals(bytes)).toBe(true);
    await closed;
    await expect(source.read(into, 0)).rejects.toMatchObject({ code: 'ERR_MILLRACE_CONSUMED' });
    expect(openDescriptors()).toEqual([]);
  });

  test('also of a file that somebody opened and forgot', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const { path } = make(10);
    await (async () => void (await FileSource.open(path)))();
    for (let turn = 0; turn < 1000 && openDescriptors().length > 0; turn++) {
      collect();
      await new Promise(setImmediate);
    }
    expect(openDescriptors()).toEqual([]);
  });

  test('once, however often it is asked for', async () => {
    const source = await FileSource.open(make(1).path);
    await Promise.all([source.close(), source.close()]);
    await source.close();
  });
});

describe('opening', () => {
  test('tells what the peer may know', async () => {
    await expect(FileSource.open(join(base, 'none'))).rejects.toMatchObject({ status: 404, message: 'Not Found' });
    await expect(FileSource.open(base)).rejects.toMatchObject({ status: 404 });
    expect(openDescriptors()).toEqual([]);
  });

  test('does not wait for somebody to write to a pipe', async () => {
    const pipe = join(base, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expect(FileSource.open(pipe)).rejects.toMatchObject({ status: 404 });
  });

  test('with another size of pieces is an error', async () => {
    const source = await FileSource.open(make(1).path);
    expect(() => new FilePieces(source, { sections: [], tail: '' }, 1)).toThrow(RangeError);
    await source.close();
  });
});
