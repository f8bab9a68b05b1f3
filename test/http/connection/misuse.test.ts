// Handlers that do what they should not, and peers that go at the wrong moment: whoever else there is never notices.
import { describe, expect, test, vi } from 'vitest';
import { type AccessEntry, HttpError, type HttpRequest, Reply, type ReplyWriter } from '../../../lib/http/index.js';
import { codeOf, Deferred } from '../../net/scene.js';
import { exchange, FakePeer, get, post, rest, start, until } from '../fake-scene.js';

function thrower(): never {
  throw new Error('thrown');
}

describe('a request', () => {
  test('can be read by the body of a reply that the handler returned at once', async () => {
    const server = start({
      fetch: (request) =>
        request.path === '/'
          ? 'other'
          : Reply.stream(async (writer) => {
              await rest();
              await writer.write(`${request.path} ${request.headers.get('x-own')} ${await request.text()}`);
            }),
    });
    const peer = await FakePeer.open(server);
    const other = await FakePeer.open(server);
    peer.say(post('/stream', 'its body', 'X-Own: mine'));
    other.say(`GET / HTTP/1.1\r\nHost: ${'o'.repeat(200)}\r\nX-Own: theirs\r\n\r\n`);
    expect((await other.reply()).text).toBe('other');
    expect((await peer.reply()).text).toBe('/stream mine its body');
  });

  test('is told to the access log as it was, also when its reply had to wait for its turn', async () => {
    const entries: string[] = [];
    const gate = new Deferred<string>();
    const server = start({
      fetch: (request) => (request.path === '/1' ? gate.promise : new Reply('at once')),
      accessLog: ({ request, status }) => void entries.push(`${status} ${request.path}`),
    });
    const peer = await FakePeer.open(server);
    const other = await FakePeer.open(server);
    peer.say(get('/1') + get('/waits'));
    await rest();
    await other.say(get(`/${'x'.repeat(100)}`)).reply();
    gate.resolve('one');
    await peer.reply();
    await peer.reply();
    expect(entries.slice(1)).toEqual(['200 /1', '200 /waits']);
  });

  test('that was answered at once throws when it is looked at later', async () => {
    let kept: HttpRequest | null = null;
    const server = start({
      fetch: (request) => {
        kept = request;
        return 'done';
      },
    });
    const peer = await FakePeer.open(server);
    await peer.say(post('/x', 'body')).reply();
    const request = kept as unknown as HttpRequest;
    expect(await codeOf(() => request.path)).toBe('ERR_MILLRACE_HTTP_REQUEST_OVER');
    expect(await codeOf(() => request.headers.get('host'))).toBe('ERR_MILLRACE_HTTP_REQUEST_OVER');
    expect(await codeOf(() => request.text())).toBe('ERR_MILLRACE_CONSUMED');
    expect(await codeOf(() => request.body.read())).toBe('ERR_MILLRACE_CONSUMED');
    expect((await peer.say(get()).reply()).text).toBe('done');
  });

  test('whose body was given up with the reply does not give an empty one', async () => {
    const codes: unknown[] = [];
    const server = start({
      fetch: (request) => {
        void rest().then(async () => codes.push(await codeOf(() => request.text())));
        return new Reply('early');
      },
    });
    const peer = await FakePeer.open(server);
    peer.say(post('/', 'x'.repeat(10)).slice(0, -5));
    await peer.reply();
    peer.say('xxxxx');
    await until(() => codes.length === 1);
    expect(codes).toEqual(['ERR_MILLRACE_CONSUMED']);
  });
});

describe('a handler', () => {
  test('that never answers holds up its connection alone, and is forgotten with it', async () => {
    const server = start({ fetch: (request) => (request.path === '/never' ? new Promise<never>(() => {}) : 'fine') });
    const peer = await FakePeer.open(server);
    peer.say(get('/never') + get('/behind'));
    await rest();
    expect(server.pendingRequests).toBe(1);
    expect(await exchange(server, get('/', 'Connection: close'))).toContain('fine');
    expect(peer.text).toBe('');
    peer.reset();
    await until(() => server.connections === 0);
    expect(server.pendingRequests).toBe(0);
  });

  test('that answers after the peer has gone is told by the signal, and harms nobody', async () => {
    const gate = new Deferred<string>();
    const told: string[] = [];
    const errors: unknown[] = [];
    const server = start({
      fetch: async (request) => {
        request.signal.addEventListener('abort', () => told.push(request.path));
        const text = await gate.promise;
        if (request.path === '/throws') throw new Error('too late');
        return request.path === '/stream' ? new ReadableStream({ cancel: () => void told.push('cancelled') }) : text;
      },
      handlerError: (error) => errors.push(error),
    });
    const peer = await FakePeer.open(server);
    peer.say(get('/1') + get('/throws') + get('/stream'));
    await until(() => server.pendingRequests === 3);
    peer.reset();
    await until(() => server.connections === 0);
    expect(told).toEqual(['/1', '/throws', '/stream']);
    expect(server.pendingRequests).toBe(0);
    gate.resolve('late');
    await rest();
    expect(told).toEqual(['/1', '/throws', '/stream', 'cancelled']);
    expect(errors).toEqual([]);
    expect(server.pendingRequests).toBe(0);
  });

  test('that waits for room is thrown an error when the peer goes', async () => {
    const codes: unknown[] = [];
    const server = start({
      fetch: () =>
        Reply.stream(async (writer) => {
          codes.push(
            await codeOf(async () => {
              for (;;) await writer.write('x'.repeat(10_000));
            }),
          );
          codes.push(await codeOf(() => writer.write('more')));
          codes.push(writer.open);
        }),
    });
    const peer = await FakePeer.open(server);
    peer.pause().say(get());
    await rest();
    expect(codes).toEqual([]);
    peer.reset();
    await until(() => codes.length === 3);
    expect(codes).toEqual([
      expect.stringMatching(/^(ECONNRESET|EPIPE|ERR_MILLRACE_SOCKET_CLOSED)$/),
      'ERR_MILLRACE_SOCKET_CLOSED',
      false,
    ]);
  });

  test('that throws an HttpError whose fields cannot be sent is 500, at once and later', async () => {
    const told: unknown[] = [];
    const bad = (): HttpError => new HttpError(403, 'no', { headers: { 'x-bad': 'a\r\nb: c' } });
    const server = start({
      routes: {
        '/now': () => {
          throw bad();
        },
        '/later': () => Promise.reject(bad()),
      },
      handlerError: (error) => told.push((error as { code?: string }).code),
    });
    const peer = await FakePeer.open(server);
    for (const path of ['/now', '/later']) {
      expect(await peer.say(get(path)).reply()).toMatchObject({ status: 500, text: 'Internal Server Error\n' });
    }
    expect(told).toEqual(['ERR_MILLRACE_HTTP_FIELD', 'ERR_MILLRACE_HTTP_FIELD']);
  });

  test('that closes the server is answered, and so is nobody after it', async () => {
    const server = start({
      fetch: () => {
        void server.close();
        return 'closing';
      },
    });
    const peer = await FakePeer.open(server);
    peer.say(get('/1'));
    expect((await peer.reply()).text).toBe('closing');
    peer.say(get('/2'));
    expect(await peer.rest()).toBe('');
  });

  test('that asks its own server is answered', async () => {
    const server = start({
      fetch: async (request) =>
        request.path === '/outer'
          ? `(${(await exchange(server, get('/inner', 'Connection: close'))).slice(-5)})`
          : 'inner',
    });
    const peer = await FakePeer.open(server);
    expect((await peer.say(get('/outer')).reply()).text).toBe('(inner)');
  });

  test('that writes what breaks an earlier reply of the same connection ends that, and is not counted for ever', async () => {
    let writer: ReplyWriter | null = null;
    const server = start({
      fetch: (request) => {
        if (request.path === '/1') {
          return Reply.stream(
            (given) => {
              writer = given;
              return new Promise(() => {});
            },
            { headers: { 'Content-Length': '1' } },
          );
        }
        expect(() => writer?.write('too much')).toThrow();
        return new Promise<never>(() => {});
      },
      handlerError() {},
    });
    const peer = await FakePeer.open(server);
    peer.say(get('/1') + get('/2') + get('/3'));
    await peer.closed();
    peer.end();
    await until(() => server.connections === 0);
    expect(server.pendingRequests).toBe(0);
  });
});

describe('a peer that ends its side in the middle of its body', () => {
  test('is told 400, as it is no fault of the handler that waits for the rest', async () => {
    const told: unknown[] = [];
    const seen: unknown[] = [];
    const fetch = (request: HttpRequest) => request.text();
    const handlerError = (error: unknown) => void told.push(error);
    const plain = start({ fetch, handlerError });
    const own = start({
      fetch,
      handlerError,
      error(error) {
        seen.push((error as Error).name);
        return 'cut';
      },
    });
    for (const server of [plain, own]) {
      const peer = await FakePeer.open(server);
      peer.say('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf').end();
      expect(await peer.reply()).toMatchObject({ status: 400, headers: { connection: 'close' } });
      expect(await peer.rest()).toBe('');
    }
    expect([seen, told]).toEqual([['UnexpectedEndError'], []]);
  });
});

describe('hooks that throw', () => {
  test('handlerError: the peer has its reply, and a warning tells', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const server = start({
      routes: {
        '/now': () => {
          throw new Error('secret');
        },
        '/later': () => Promise.reject(new Error('secret')),
      },
      handlerError: () => {
        throw new Error('of the hook');
      },
    });
    const peer = await FakePeer.open(server);
    for (const path of ['/now', '/later']) expect((await peer.say(get(path)).reply()).status).toBe(500);
    expect(warn.mock.calls.map(([text]) => String(text).includes('of the hook'))).toEqual([true, true]);
    warn.mockRestore();
  });

  test('what is returned, by its `then` or `return`: it is the failure of that request, and of no other', async () => {
    const hostile: Record<string, () => never> = {
      '/getter': () => Object.defineProperty({}, 'then', { get: thrower }) as never,
      '/then': () => Object.defineProperty({}, 'then', { value: thrower }) as never,
      '/return': () => ({ [Symbol.asyncIterator]: () => ({ next: thrower }), return: thrower }) as never,
    };
    const server = start({
      fetch: ({ path }) => (path === '/good' ? 'good' : (hostile[path] as () => never)()),
      handlerError: () => {},
    });
    const peer = await FakePeer.open(server);
    for (const path of ['/getter', '/then']) {
      peer.say(get(path) + get('/good'));
      expect((await peer.reply()).status, path).toBe(500);
      expect((await peer.reply()).text, path).toBe('good');
    }
    expect((await peer.say('HEAD /return HTTP/1.1\r\nHost: a\r\n\r\n').reply(true)).status).toBe(200);
    expect((await peer.say(get('/good')).reply()).text).toBe('good');
  });

  test('accessLog: it is told as a failure, and nothing else comes of it', async () => {
    const told: unknown[] = [];
    const server = start({
      fetch: (request) => (request.path === '/later' ? Promise.resolve('fine') : 'fine'),
      accessLog: (entry: AccessEntry) => {
        throw new Error(`log of ${entry.status}`);
      },
      handlerError: (error) => told.push((error as Error).message),
    });
    const peer = await FakePeer.open(server);
    for (const path of ['/now', '/later', '/now']) expect((await peer.say(get(path)).reply()).text).toBe('fine');
    expect(told).toEqual(['log of 200', 'log of 200', 'log of 200']);
  });

  test('accessLog that closes the server, in the middle of a pipeline', async () => {
    const server = start({ fetch: (request) => Promise.resolve(request.path), accessLog: () => void server.close() });
    const peer = await FakePeer.open(server);
    peer.say(get('/1') + get('/2') + get('/3'));
    expect((await peer.reply()).text).toBe('/1');
    await peer.closed();
    expect(peer.error).toBeNull();
  });

  test('error: its own failure is 500, and so is an answer that is none', async () => {
    const told: unknown[] = [];
    const fail = (): never => {
      throw new Error('first');
    };
    const server = start({
      routes: { '/throws': fail, '/rejects': fail, '/junk': fail, '/fine': fail },
      error: (_error, request) => {
        if (request.path === '/throws') throw new Error('again');
        if (request.path === '/rejects') return Promise.reject(new Error('again'));
        return request.path === '/junk' ? (7 as never) : Promise.resolve('mended');
      },
      handlerError: (error) => told.push((error as Error).message),
    });
    const peer = await FakePeer.open(server);
    for (const path of ['/throws', '/rejects', '/junk']) {
      expect((await peer.say(get(path)).reply()).status).toBe(500);
    }
    expect((await peer.say(get('/fine')).reply()).text).toBe('mended');
    expect(told).toEqual(['again', 'again', expect.stringContaining('must be')]);
  });
});

describe('overload', () => {
  test('beyond what may wait is 503 with Retry-After, and those that wait are served in their order', async () => {
    const gates: Deferred<string>[] = [];
    const handled: string[] = [];
    const server = start({
      limits: { concurrentRequests: 2, queuedRequests: 2 },
      fetch: (request) => {
        handled.push(request.path);
        const gate = new Deferred<string>();
        gates.push(gate);
        return gate.promise;
      },
    });
    const connected = [];
    for (let i = 0; i < 5; i++) {
      const peer = await FakePeer.open(server);
      peer.say(get(`/${i}`));
      await rest();
      connected.push(peer);
    }
    const shed = await (connected[4] as FakePeer).reply();
    expect(shed).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(handled).toEqual(['/0', '/1']);
    for (let i = 0; i < 4; i++) {
      await until(() => gates.length > i);
      gates[i]?.resolve(`done ${i}`);
      expect((await (connected[i] as FakePeer).reply()).text).toBe(`done ${i}`);
    }
    expect(handled).toEqual(['/0', '/1', '/2', '/3']);
    expect(server.pendingRequests).toBe(0);
  });

  test('whoever goes while it waits is never handled, and leaves its place to others', async () => {
    const gate = new Deferred<string>();
    const handled: string[] = [];
    const server = start({
      limits: { concurrentRequests: 1, queuedRequests: 1 },
      fetch: (request) => {
        handled.push(request.path);
        return gate.promise;
      },
    });
    const first = await FakePeer.open(server);
    first.say(get('/first'));
    await rest();
    for (let i = 0; i < 20; i++) {
      const peer = await FakePeer.open(server);
      peer.say(get(`/gone/${i}`));
      await rest();
      expect(peer.text, 'it waits').toBe('');
      peer.reset();
      await until(() => server.connections === 1);
    }
    const last = await FakePeer.open(server);
    last.say(get('/last'));
    await rest();
    gate.resolve('done');
    expect((await first.reply()).text).toBe('done');
    expect((await last.reply()).text).toBe('done');
    expect(handled).toEqual(['/first', '/last']);
  });
});
