// Servers under whatever a network and its peers may do, by seeds: pieces of any size, delays, sends that leave in parts,
// shortages, resets, peers that do not read, that go, or that say nonsense. Every request has exactly one reply, in order
// and with exactly its bytes, or the connection ends; and nothing is left.
import { beforeAll, expect, test } from 'vitest';
import { openCodec } from '../../../lib/http/codec.js';
import { type HttpRequest, type HttpServer, Reply } from '../../../lib/http/index.js';
import { sleep } from '../../../lib/index.js';
import { border } from '../../../lib/internal/border.js';
import { BROKEN, type Faults, NO_FAULTS, ROUGH, SeededRandom, withSeeds } from '../../../lib/internal/fake/index.js';
import { pauseTime } from '../../../lib/test/index.js';
import { pattern } from '../../net/scene.js';
import { FakePeer, fake, start } from '../fake-scene.js';

/** MILLRACE_SEEDS=20000 for a long run. */
const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 60);
const LIMIT_MS = 60_000 + 500 * SEEDS;
const PEERS_MAX = 4;
const REQUESTS_MAX = 12;
const BODY = pattern(300_000);

// Time passes by itself whenever nothing else is to be done.
beforeAll(() => pauseTime({ autoAdvance: true }));

interface Asked {
  readonly bytes: Buffer;
  /** What its reply has to be; null: no reply, the connection ends. */
  readonly body: string | null;
  readonly isHead?: boolean;
  /** The connection ends behind its reply. */
  readonly isLast?: boolean;
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const sliceOf = (at: number, length: number): Buffer => BODY.subarray(at, at + length);

/** Handlers of every kind. What they answer follows from what they were asked. */
function serveAll(): HttpServer {
  const echo = async (request: HttpRequest) => {
    await sleep(Number(request.query.get('ms') ?? 0));
    return new Uint8Array(await request.bytes());
  };
  return start({
    limits: { pipelineDepth: 4, concurrentRequests: 6, queuedRequests: 1000, writeStallMs: 60_000 },
    routes: {
      '/static': 'static',
      '/now/:id': (request) => `now ${request.params.id}`,
      '/reply/:id': (request) => new Reply(`reply ${request.params.id}`),
      '/later/:id': (request) => sleep(Number(request.query.get('ms'))).then(() => `later ${request.params.id}`),
      '/fiber/:id': function* (request: HttpRequest) {
        yield* sleep(1);
        return `fiber ${request.params.id}`;
      } as never,
      '/echo': { POST: echo },
      '/pieces': {
        POST: (request) =>
          Reply.stream(async (writer) => {
            for await (const bytes of request.body) await writer.write(bytes);
          }),
      },
      '/ignored': { POST: () => 'ignored' },
      '/large': (request) => {
        const [at, length] = [Number(request.query.get('at')), Number(request.query.get('length'))];
        return Reply.stream(async (writer) => {
          for (let done = 0; done < length; done += 10_000) {
            await writer.write(sliceOf(at + done, Math.min(10_000, length - done)));
          }
        });
      },
      '/known': (request) => {
        const [at, length] = [Number(request.query.get('at')), Number(request.query.get('length'))];
        return sliceOf(at, length);
      },
      '/close': () => new Reply('closed', { headers: { Connection: 'close' } }),
      '/throw': () => {
        throw new Error('thrown');
      },
      '/broken': () =>
        Reply.stream(async (writer) => {
          await writer.write('half');
          throw new Error('broken');
        }),
    },
    handlerError() {},
  });
}

function head(line: string, ...fields: string[]): Buffer {
  return Buffer.from(`${line} HTTP/1.1\r\nHost: a\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`);
}

function chunked(body: Buffer, random: SeededRandom): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const piece = body.subarray(at, at + 1 + random.below(random.chance(0.2) ? 20 : 20_000));
    parts.push(
      Buffer.from(`${piece.length.toString(16)}${random.chance(0.2) ? ';a=b' : ''}\r\n`),
      piece,
      Buffer.from('\r\n'),
    );
    at += piece.length;
  }
  return Buffer.concat([...parts, Buffer.from(random.chance(0.3) ? '0\r\nX-Sum: 1\r\n\r\n' : '0\r\n\r\n')]);
}

function withBody(path: string, random: SeededRandom): { bytes: Buffer; body: Buffer } {
  const body = sliceOf(random.below(1000), random.below(random.chance(0.2) ? 200_000 : 500));
  if (random.chance(0.5)) {
    return { bytes: Buffer.concat([head(`POST ${path}`, `Content-Length: ${body.length}`), body]), body };
  }
  return { bytes: Buffer.concat([head(`POST ${path}`, 'Transfer-Encoding: chunked'), chunked(body, random)]), body };
}

const KINDS: readonly ((random: SeededRandom, id: number) => Asked)[] = [
  () => ({ bytes: head('GET /static'), body: 'static' }),
  (_random, id) => ({ bytes: head(`GET /now/${id}`), body: `now ${id}` }),
  (_random, id) => ({ bytes: head(`GET /reply/${id}`), body: `reply ${id}` }),
  (random, id) => ({ bytes: head(`GET /later/${id}?ms=${random.below(5)}`), body: `later ${id}` }),
  (_random, id) => ({ bytes: head(`GET /fiber/${id}`), body: `fiber ${id}` }),
  (_random, id) => ({ bytes: head(`HEAD /now/${id}`), body: '', isHead: true }),
  (_random, id) => ({ bytes: head(`GET /now/${id}`, 'Connection: Upgrade', 'Upgrade: x'), body: `now ${id}` }),
  (random) => {
    const { bytes, body } = withBody(`/echo?ms=${random.below(3)}`, random);
    return { bytes, body: latin1(body) };
  },
  (random) => {
    const { bytes, body } = withBody('/pieces', random);
    return { bytes, body: latin1(body) };
  },
  (random) => ({ bytes: withBody('/ignored', random).bytes, body: 'ignored' }),
  (random) => {
    const [at, length] = [random.below(1000), random.below(150_000)];
    const path = random.chance(0.5) ? '/large' : '/known';
    return { bytes: head(`GET ${path}?at=${at}&length=${length}`), body: latin1(sliceOf(at, length)) };
  },
  () => ({ bytes: head('GET /throw'), body: 'Internal Server Error\n' }),
];
const LAST: readonly (() => Asked)[] = [
  () => ({ bytes: head('GET /close'), body: 'closed', isLast: true }),
  () => ({ bytes: head('GET /static', 'Connection: close'), body: 'static', isLast: true }),
  () => ({ bytes: head('GET /broken'), body: null }),
  () => ({ bytes: Buffer.from('GET / HTTP/1.1\r\nnonsense\r\n\r\n'), body: 'Not acceptable', isLast: true }),
];

function conversation(random: SeededRandom): Asked[] {
  const asked: Asked[] = [];
  for (let count = 1 + random.below(REQUESTS_MAX); count > 0; count--) {
    const ends = random.chance(0.03);
    const kinds = ends ? LAST : KINDS;
    asked.push((kinds[random.below(kinds.length)] as (typeof KINDS)[number])(random, asked.length));
  }
  return asked;
}

/** Says all of it, in pieces of any size, now and then waiting. */
async function say(peer: FakePeer, bytes: Buffer, random: SeededRandom): Promise<void> {
  const piecesMax = random.chance(0.3) ? 40 : 30_000;
  for (let at = 0; at < bytes.length && !peer.isEnded; ) {
    const length = 1 + random.below(piecesMax);
    peer.say(bytes.subarray(at, at + length));
    at += length;
    if (random.chance(piecesMax === 40 ? 0.1 : 0.5)) await sleep(random.below(2));
  }
}

/** How many replies came: each is that of its request, and none comes behind the end. */
async function hear(peer: FakePeer, asked: readonly Asked[], random: SeededRandom, mayBreak: boolean): Promise<void> {
  let last = false;
  for (const { body, isHead = false, isLast = false } of asked) {
    if (random.chance(0.1)) {
      peer.pause();
      await sleep(random.below(50));
      peer.resume();
    }
    try {
      const reply = await peer.reply(isHead);
      expect(last, 'no reply comes behind the last one').toBe(false);
      const text = latin1(reply.body);
      if (body === null) expect.fail(`a reply that broke off was taken for a whole one: ${text.length} bytes`);
      // Early replies end a connection whose body is long.
      last = reply.headers.connection === 'close';
      if (isLast) expect(last, 'the last one says so').toBe(true);
      if (body === 'Not acceptable') expect(reply.status).toBe(400);
      else if (text !== body) expect.fail(`a wrong reply: ${text.length} bytes instead of ${body.length}`);
    } catch (error) {
      const ended = (error as Error).message.startsWith('the server ended');
      if (ended && (last || body === null || mayBreak)) return;
      throw error;
    }
  }
  if (last) await peer.closed();
}

async function run(seed: number, faults: Faults): Promise<void> {
  fake.reseed(seed, NO_FAULTS);
  const random = new SeededRandom(seed);
  const server = serveAll();
  await server.ready;
  const peers: FakePeer[] = [];
  for (let count = 1 + random.below(PEERS_MAX); count > 0; count--) peers.push(await FakePeer.open(server));
  fake.network.faults = { ...faults, refuse: 0, outOfDescriptors: 0 };
  const mayBreak = faults === BROKEN;
  await Promise.all(
    peers.map(async (peer) => {
      const own = new SeededRandom(random.below(2 ** 31));
      const asked = conversation(own);
      const says = say(peer, Buffer.concat(asked.map(({ bytes }) => bytes)), own);
      const goes = own.chance(0.15);
      const listens = new SeededRandom(own.below(2 ** 31));
      if (goes) {
        await sleep(own.below(20));
        peer.reset();
      } else {
        await hear(peer, asked, listens, mayBreak);
      }
      await says;
      if (own.chance(0.5)) peer.end();
      else peer.reset();
    }),
  );
  fake.network.faults = NO_FAULTS;
  if (random.chance(0.5)) await server.close({ drainMs: 100 });
  else for (const peer of peers) peer.destroy();
  while (server.connections > 0) await sleep(100);
  await server.close({ drainMs: 0 });
  expect([server.connections, server.pendingRequests, openCodec().connections]).toEqual([0, 0, 0]);
  while (border.open().counters().socketsOpen !== 0) await sleep(1);
  expect(border.open().counters()).toMatchObject({ receiveBuffersInUse: 0, faults: 0 });
}

test(
  'on a rough network every request has its reply, in order and exact',
  async () => {
    await withSeeds(SEEDS, (seed) => run(seed, ROUGH));
  },
  LIMIT_MS,
);

test(
  'while things break, every reply that comes is the right one',
  async () => {
    await withSeeds(SEEDS, (seed) => run(seed, BROKEN));
  },
  LIMIT_MS,
);
