// What requests and responses do besides what frameworks need, by plain apps.
import { AsyncLocalStorage } from 'node:async_hooks';
import { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { nodeHandler } from '../../../lib/http/index.js';
import { ask, get, post, RawClient, start } from '../scene.js';
import { deferred, same, sameReplies, startNode } from './scene.js';

const MiB = 1024 * 1024;

describe('a request', () => {
  test('is an IncomingMessage, with the head as Node has it', async () => {
    const reply = await same(
      (request, response) => {
        const { method, url, httpVersion, httpVersionMajor, httpVersionMinor, headers, rawHeaders, headersDistinct } =
          request;
        const isReal =
          request instanceof IncomingMessage && response instanceof ServerResponse && response.req === request;
        response.end(
          JSON.stringify({
            isReal,
            method,
            url,
            httpVersion,
            httpVersionMajor,
            httpVersionMinor,
            headers,
            rawHeaders,
            headersDistinct,
          }),
        );
      },
      get(
        '/a?b=c',
        'Cookie: a=1',
        'cookie: b=2',
        'X-Twice: 1',
        'x-twice: 2',
        'Content-Type: a/b',
        'User-Agent: first',
        'User-Agent: second',
        'Set-Cookie: x',
        'Set-Cookie: y',
        'X-Latin: \xe9',
        'X-Empty:',
      ),
    );
    expect(JSON.parse(reply.text)).toMatchObject({
      isReal: true,
      headers: { cookie: 'a=1; b=2', 'user-agent': 'first' },
    });
  });

  test('gives its body by events, by iteration, by read, and its trailers', async () => {
    const body =
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 5\r\n\r\n';
    const all = async (request: IncomingMessage): Promise<string> => {
      let text = '';
      for await (const piece of request) text += piece;
      return text;
    };
    await same(async (request, response) => {
      response.end(JSON.stringify([await all(request), request.trailers, request.complete, request.readableEnded]));
    }, body);
    await same((request, response) => {
      const events: string[] = [];
      request.setEncoding('utf8');
      request.on('data', (text: string) => events.push(text));
      request.on('end', () => response.end(JSON.stringify([events.join(''), request.complete])));
    }, body);
    await same((request, response) => {
      let text = '';
      request.on('readable', () => {
        for (let piece = request.read(); piece !== null; piece = request.read()) text += piece;
      });
      request.on('end', () => response.end(text));
    }, body);
  });

  test('ends and closes also when nobody has read its body', async () => {
    const order: string[] = [];
    const closed = deferred();
    const server = await startNode((request, response) => {
      request.on('end', () => order.push('request end'));
      request.on('close', () => {
        order.push('request close');
        closed.resolve();
      });
      response.on('finish', () => order.push('finish'));
      response.on('close', () => order.push('close'));
      response.end('done');
    });
    expect((await ask(server as never, post('/', 'not read'))).text).toBe('done');
    await closed.promise;
    expect(order).toEqual(['finish', 'close', 'request end', 'request close']);
  });

  test('is asked to continue when its body is read, once', async () => {
    const server = await startNode(async (request, response) => {
      let text = '';
      for await (const piece of request) text += piece;
      response.end(text);
    });
    const client = await RawClient.open(server as never);
    client.say('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
    const asked = 'HTTP/1.1 100 Continue\r\n\r\n';
    expect((await client.received(asked.length)).toString()).toBe(asked);
    client.say('hello');
    expect((await client.reply()).status).toBe(100);
    const reply = await client.reply();
    expect([reply.text, reply.headers.connection]).toEqual(['hello', 'keep-alive']);
  });

  test('is not asked to continue by an app that refuses it', async () => {
    const server = await startNode((_request, response) => void response.writeHead(403).end());
    const client = await RawClient.open(server as never);
    client.say('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
    const reply = await client.reply();
    expect([reply.status, reply.headers.connection]).toEqual([403, 'close']);
    await client.closed();
  });

  test('that is aborted tells the app: in the body, and while the reply is awaited', async () => {
    const events: string[] = [];
    const both = deferred();
    const note = (event: string): void => {
      events.push(event);
      if (events.filter((name) => name.endsWith('close')).length === 4) both.resolve();
    };
    const server = await startNode((request, response) => {
      const name = request.url as string;
      request.on('aborted', () => note(`${name} aborted`));
      request.on('error', (error: Error & { code?: string }) => note(`${name} ${error.code}`));
      request.on('close', () => note(`${name} request close`));
      response.on('close', () => note(`${name} response close`));
      response.on('finish', () => note(`${name} finish`));
      if (name === '/body') request.resume();
      arrived.get(name)?.resolve();
    });
    const arrived = new Map([
      ['/body', deferred()],
      ['/reply', deferred()],
    ]);
    const first = await RawClient.open(server as never);
    first.say('POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhalf');
    await arrived.get('/body')?.promise;
    first.reset();
    const second = await RawClient.open(server as never);
    second.say(get('/reply'));
    await arrived.get('/reply')?.promise;
    second.end();
    await both.promise;
    expect(events.filter((event) => event.startsWith('/body'))).toEqual(
      expect.arrayContaining(['/body aborted', '/body ECONNRESET', '/body request close', '/body response close']),
    );
    expect(events.filter((event) => event.startsWith('/reply'))).toEqual(
      expect.arrayContaining(['/reply aborted', '/reply ECONNRESET', '/reply request close', '/reply response close']),
    );
    expect(events.some((event) => event.endsWith('finish'))).toBe(false);
  });

  test('whose body is read on after the reply gives all of it', async () => {
    const body = 'x'.repeat(200_000);
    const read = deferred<number>();
    const server = await startNode((request, response) => {
      let length = 0;
      request.on('data', (bytes: Buffer) => {
        length += bytes.length;
      });
      request.on('end', () => read.resolve(length));
      response.end('early');
    });
    const client = await RawClient.open(server as never);
    client.say(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
    expect((await client.reply()).text).toBe('early');
    client.say(body);
    expect(await read.promise).toBe(body.length);
    expect((await client.say(get()).reply()).text).toBe('early');
  });
});

describe('a response', () => {
  const cases: [string, (request: IncomingMessage, response: ServerResponse) => void][] = [
    ['writeHead with an object', (_q, s) => s.writeHead(201, { 'X-A': 1, 'Content-Type': 'text/a' } as never).end('a')],
    ['writeHead with a reason', (_q, s) => s.writeHead(299, 'Very Fine', { 'X-A': 'b' }).end('a')],
    [
      'writeHead with a flat list',
      (_q, s) => s.writeHead(200, ['X-A', '1', 'X-A', '2', 'Content-Length', '1']).end('a'),
    ],
    ['writeHead over what was set', (_q, s) => s.setHeader('X-A', 'old').writeHead(200, { 'x-a': 'new' }).end()],
    ['a status message', (_q, s) => Object.assign(s, { statusCode: 404, statusMessage: 'Nope' }).end('x')],
    [
      'setHeaders',
      (_q, s) =>
        s
          .setHeaders(
            new Headers([
              ['a', '1'],
              ['set-cookie', 'x'],
              ['set-cookie', 'y'],
            ]),
          )
          .end(),
    ],
    [
      'appendHeader and lists',
      (_q, s) => s.appendHeader('X', 'a').appendHeader('x', ['b', 'c']).setHeader('Y', ['1', '2']).end(),
    ],
    [
      'a removed Content-Length',
      (_q, s) => {
        s.removeHeader('Content-Length');
        s.end('by chunks');
      },
    ],
    [
      'a removed Date',
      (_q, s) => {
        s.sendDate = false;
        s.end('undated');
      },
    ],
    [
      'a removed Connection',
      (_q, s) => {
        s.removeHeader('Connection');
        s.end('x');
      },
    ],
    ['Connection: close', (_q, s) => s.setHeader('Connection', 'close').end('x')],
    ['Transfer-Encoding: chunked', (_q, s) => s.setHeader('Transfer-Encoding', 'chunked').end('one chunk')],
    [
      'trailers',
      (_q, s) => {
        s.writeHead(200, { Trailer: 'X-T' });
        s.write('body');
        s.addTrailers({ 'X-T': 'end' });
        s.end();
      },
    ],
    [
      'encodings',
      (_q, s) => {
        s.write('c3bc', 'hex');
        s.write('w7w=', 'base64');
        s.write('\xfc', 'latin1');
        s.end('ü', 'utf8');
      },
    ],
    ['bytes', (_q, s) => s.end(new Uint8Array([1, 2, 255]))],
    [
      'flushHeaders',
      (_q, s) => {
        s.flushHeaders();
        setImmediate(() => s.end('later'));
      },
    ],
    [
      'cork',
      (_q, s) => {
        s.cork();
        s.write('a');
        s.write('b');
        process.nextTick(() => {
          s.uncork();
          s.end('c');
        });
      },
    ],
    [
      'Content-Disposition',
      (_q, s) => s.writeHead(200, { 'Content-Length': 1, 'content-disposition': 'a; b="c"' }).end('x'),
    ],
    ['HEAD-like statuses', (_q, s) => s.writeHead(304, { ETag: '"a"' }).end('dropped')],
    ['204 with a body', (_q, s) => Object.assign(s, { statusCode: 204 }).end('dropped')],
  ];
  for (const [name, app] of cases) {
    test(`as on node:http: ${name}`, async () => {
      await same(app, get());
    });
  }

  test('tells of early hints and of processing', async () => {
    const replies = await sameReplies(
      (_request, response) => {
        response.writeEarlyHints({ link: '</a.css>; rel=preload' });
        response.writeProcessing();
        response.end('final');
      },
      get(),
      3,
    );
    expect(replies.map(({ status }) => status)).toEqual([103, 102, 200]);
  });

  test('has its flags, before, between and after', async () => {
    const flags = (response: ServerResponse): unknown[] => [
      response.headersSent,
      response.writableEnded,
      response.finished,
      response.writable,
      response.destroyed,
      response.getHeader('x'),
      response.hasHeader('X'),
      response.getHeaderNames(),
    ];
    const run = async (
      give: (app: (q: IncomingMessage, s: ServerResponse) => void) => Promise<unknown>,
    ): Promise<unknown[]> => {
      const seen: unknown[] = [];
      const done = deferred();
      await give((_request, response) => {
        response.setHeader('X', 'y');
        seen.push(flags(response));
        response.write('a');
        seen.push(flags(response));
        try {
          response.setHeader('late', 'x');
        } catch (error) {
          seen.push((error as { code: string }).code);
        }
        response.end('b', () => seen.push('callback'));
        seen.push(flags(response));
        response.on('close', () => {
          seen.push(flags(response), response.writableFinished);
          done.resolve();
        });
      });
      await done.promise;
      return seen;
    };
    const seen: unknown[][] = [];
    await run((app) => same(app, get())).then((all) => seen.push(all));
    const server = await startNode(() => {});
    server.removeAllListeners('request');
    const ours = await run(async (app) => {
      server.on('request', app);
      await ask(server as never, get());
    });
    expect(ours).toContain('callback');
    expect(ours).toContain('ERR_HTTP_HEADERS_SENT');
    expect((ours.at(-2) as unknown[]).slice(0, 5)).toEqual([true, true, true, true, true]);
    expect(ours.at(-1)).toBe(true);
  });

  test('tells of writes after the end, and of no data', async () => {
    const errors = deferred<string[]>();
    const server = await startNode((_request, response) => {
      const codes: string[] = [];
      const note = (error?: (Error & { code?: string }) | null): void => {
        codes.push(String(error?.code));
        if (codes.length === 3) errors.resolve(codes);
      };
      for (const wrong of [null, 7]) {
        try {
          response.write(wrong as never);
        } catch (error) {
          note(error as Error);
        }
      }
      response.on('error', () => {});
      response.end('x');
      response.write('late', note);
    });
    await ask(server as never, get());
    expect(await errors.promise).toEqual([
      'ERR_STREAM_NULL_VALUES',
      'ERR_INVALID_ARG_TYPE',
      'ERR_STREAM_WRITE_AFTER_END',
    ]);
  });

  test('keeps the async context of its request in finish and close', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: string[] = [];
    const done = deferred();
    const server = await startNode((request, response) => {
      storage.run(request.url as string, () => {
        response.on('finish', () => seen.push(`${request.url} ${storage.getStore()}`));
        response.on('close', () => {
          seen.push(`${request.url} ${storage.getStore()}`);
          if (seen.length === 6) done.resolve();
        });
        if (request.url === '/b') setImmediate(() => response.end('x'));
        else response.end('x');
      });
    });
    const client = await RawClient.open(server as never);
    client.say(get('/a') + get('/b') + get('/c'));
    for (let i = 0; i < 3; i++) await client.reply();
    await done.promise;
    expect(seen.sort()).toEqual(['/a /a', '/a /a', '/b /b', '/b /b', '/c /c', '/c /c']);
  });

  test('satisfies stream.finished, also late', async () => {
    const done = deferred<unknown[]>();
    const server = await startNode((request, response) => {
      const ended: unknown[] = [];
      const note = (error?: Error | null): void => {
        ended.push(error ?? null);
        if (ended.length === 3) done.resolve(ended);
      };
      finished(response, note);
      response.end('x', () =>
        setImmediate(() =>
          setImmediate(() => {
            finished(response, note);
            finished(request, note);
          }),
        ),
      );
    });
    await ask(server as never, get());
    expect(await done.promise).toEqual([null, null, null]);
  });

  test('calls back for a large piece of a chunked body when it has left, not when it was written', async () => {
    const written = deferred();
    let isWritten = false;
    const server = await startNode((_request, response) => {
      response.write(Buffer.alloc(32 * MiB), () => {
        isWritten = true;
        written.resolve();
      });
    });
    const client = await RawClient.open(server as never);
    client.pause();
    client.say(get());
    // Another client is answered meanwhile: turns of the event loop have passed.
    const other = await startNode((_request, response) => void response.end('x'));
    for (let i = 0; i < 3; i++) await ask(other as never, get());
    expect(isWritten).toBe(false);
    client.resume();
    await written.promise;
  });

  test('calls back with an error for what does not leave any more', async () => {
    const errors: unknown[] = [];
    const begun = deferred();
    const closed = deferred();
    const server = await startNode((_request, response) => {
      const note = (error?: Error | null): void => void errors.push(error);
      response.setHeader('Content-Length', 64 * MiB);
      response.write(Buffer.alloc(32 * MiB), note);
      response.write(Buffer.alloc(MiB), note);
      response.on('close', closed.resolve);
      begun.resolve();
    });
    const client = await RawClient.open(server as never);
    client.pause();
    client.say(get());
    await begun.promise;
    client.destroy();
    await closed.promise;
    expect(errors).toEqual([expect.any(Error), expect.any(Error)]);
  });

  test('has a time limit of its own, that the next one on the connection has not', async () => {
    const limits: unknown[] = [];
    const server = await startNode((request, response) => {
      limits.push(request.socket.timeout ?? 0);
      response.setTimeout(60_000);
      response.end('x');
    });
    server.setTimeout(90_000);
    const client = await RawClient.open(server as never);
    for (let i = 0; i < 2; i++) {
      client.say(get());
      await client.reply();
    }
    expect(limits).toEqual([90_000, 90_000]);
  });

  test('of another length than it has announced ends the connection', async () => {
    for (const body of ['short', 'x'.repeat(20)]) {
      const server = await startNode((_request, response) => {
        response.setHeader('Content-Length', 10);
        response.end(body);
      });
      const client = await RawClient.open(server as never);
      client.say(get() + get());
      await client.closed();
    }
  });

  test('checks its length where that is asked for', async () => {
    const code = deferred<string>();
    const server = await startNode((_request, response) => {
      response.strictContentLength = true;
      response.setHeader('Content-Length', 3);
      try {
        response.write('four');
      } catch (error) {
        code.resolve((error as { code: string }).code);
      }
      response.destroy();
    });
    const client = await RawClient.open(server as never);
    client.say(get());
    expect(await code.promise).toBe('ERR_HTTP_CONTENT_LENGTH_MISMATCH');
    await client.closed();
  });
});

describe('an app that fails', () => {
  test('harms no other request', async () => {
    const told: unknown[] = [];
    const server = start({
      fetch: nodeHandler(async (request, response) => {
        if (request.url === '/throw') throw new Error('thrown');
        if (request.url === '/half') {
          response.write('half');
          await null;
          throw new Error('in the middle');
        }
        response.end('fine');
      }),
      handlerError: (error) => void told.push((error as Error).message),
    });
    const client = await RawClient.open(server);
    client.say(get('/throw') + get('/fine'));
    expect((await client.reply()).status).toBe(500);
    expect((await client.reply()).text).toBe('fine');
    const other = await RawClient.open(server);
    other.say(get('/half'));
    await other.closed();
    expect((await client.say(get('/fine')).reply()).text).toBe('fine');
    expect(told).toEqual(['thrown', 'in the middle']);
  });

  test('that destroys a response ends that connection', async () => {
    const closed = deferred();
    const server = await startNode((_request, response) => {
      response.on('close', () => closed.resolve());
      response.write('a part');
      response.destroy();
    });
    const client = await RawClient.open(server as never);
    client.say(get());
    await client.closed();
    await closed.promise;
  });
});
