// A real Express 5 app, unmodified, on node:http and on Millrace.
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough, Transform } from 'node:stream';
import { gzipSync } from 'node:zlib';
import express, { type NextFunction, type Request, type Response } from 'express';
import multer from 'multer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { get, post, RawClient } from '../scene.js';
import { deferred, same, sameReplies, startNode } from './scene.js';

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-express-'));
const large = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));

beforeAll(() => {
  writeFileSync(path.join(folder, 'large.bin'), large);
  writeFileSync(path.join(folder, 'page.html'), '<p>hello</p>');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** As compression does it: it takes `write` and `end` of the response over. */
function shouting(_request: Request, response: Response, next: NextFunction): void {
  for (const name of ['write', 'end'] as const) {
    const original = response[name] as (...values: unknown[]) => unknown;
    response[name] = ((chunk: unknown, ...rest: unknown[]) =>
      original.call(response, typeof chunk === 'string' ? chunk.toUpperCase() : chunk, ...rest)) as never;
  }
  next();
}

function makeApp(): express.Express {
  const app = express();
  app.set('env', 'test');
  app.use((request, response, next) => {
    response.setHeader('X-Seen', `${request.method} ${request.originalUrl}`);
    next();
  });
  app.use(express.json());
  app.use(express.urlencoded({ extended: true }));
  app.use(express.text());
  app.use('/files', express.static(folder));
  app.get('/', (_request, response) => void response.send('Hello, World!'));
  app.get('/text', (_request, response) => void response.type('text').send('Grüße, 世界'));
  app.get('/bytes', (_request, response) => void response.send(Buffer.from([0, 255, 13, 10])));
  app.get('/large', (_request, response) => void response.send(large));
  app.get('/empty', (_request, response) => void response.status(204).end());
  app.get('/json', (_request, response) => void response.json({ a: [1, 'ü', null] }));
  app.get('/status', (_request, response) => void response.sendStatus(418));
  app.get(
    '/users/:id/:rest',
    (request, response) => void response.json({ params: request.params, query: request.query }),
  );
  app.get('/cookies', (request, response) => {
    response.cookie('a', '1', { httpOnly: true }).cookie('b', 'two words');
    response.json({ got: request.headers.cookie, host: request.hostname, ip: request.ip, protocol: request.protocol });
  });
  app.get('/away', (_request, response) => response.redirect(301, '/there?x=1'));
  app.get('/vary', (request, response) => {
    response.format({
      text: () => response.send('text'),
      json: () => response.json({ kind: request.accepts('json') }),
    });
  });
  app.post(
    '/echo',
    (request, response) => void response.json({ body: request.body, type: request.get('content-type') }),
  );
  app.post('/raw', (request, response) => void request.pipe(response));
  app.get('/pipe', (_request, response) => void createReadStream(path.join(folder, 'large.bin')).pipe(response));
  app.get('/send-file', (_request, response) => response.sendFile(path.join(folder, 'page.html')));
  app.get('/chunks', (_request, response) => {
    response.write('one,');
    setImmediate(() => {
      response.write('two,');
      setImmediate(() => response.end('three'));
    });
  });
  app.get('/shout', shouting, (_request, response) => {
    response.write('quiet ');
    response.end('words');
  });
  app.get('/stream', (_request, response) => {
    const upper = new Transform({
      transform: (chunk, _encoding, done) => done(null, String(chunk).toUpperCase()),
    });
    upper.pipe(response);
    upper.write('a');
    upper.end('b');
  });
  const router = express.Router({ mergeParams: true });
  router.use((_request, response, next) => {
    response.set('X-Router', 'yes');
    next();
  });
  router.get('/inside', (request, response) => void response.json({ base: request.baseUrl, url: request.url }));
  app.use('/routed/:name', router);
  const mounted = express();
  mounted.get('/x', (request, response) => void response.send(`mounted at ${request.baseUrl}`));
  app.use('/mounted', mounted);
  app.get('/throws', () => {
    throw Object.assign(new Error('thrown'), { status: 409 });
  });
  app.get('/rejects', async () => {
    await null;
    throw new Error('rejected');
  });
  app.get('/next', (_request, _response, next) => next(new Error('handed on')));
  app.use((error: Error & { status?: number }, _request: Request, response: Response, _next: NextFunction) => {
    response.status(error.status ?? 500).json({ message: error.message });
  });
  return app;
}

describe('Express answers as on node:http', () => {
  const app = makeApp();
  const cases: [string, string][] = [
    ['text', get('/')],
    ['text that is no ASCII', get('/text')],
    ['bytes', get('/bytes')],
    ['a large body', get('/large')],
    ['no body', get('/empty')],
    ['JSON', get('/json')],
    ['a status alone', get('/status')],
    ['parameters and a query', get('/users/7%2f8/caf%C3%A9?a=1&a=2&b[c]=d')],
    ['cookies', get('/cookies', 'Cookie: x=1', 'Cookie: y=2')],
    ['a redirect', get('/away')],
    ['what the client prefers', get('/vary', 'Accept: application/json')],
    ['404', get('/nowhere')],
    ['a path that cannot be decoded', get('/users/%E0%A4%A/x')],
    ['a JSON body', post('/echo', '{"a":[1,2,{"b":null}]}', 'Content-Type: application/json')],
    ['a JSON body that is none', post('/echo', '{"a":', 'Content-Type: application/json')],
    ['a form', post('/echo', 'a=1&b[]=2&b[]=3&c=%C3%BC', 'Content-Type: application/x-www-form-urlencoded')],
    ['a body of text', post('/echo', 'just text', 'Content-Type: text/plain')],
    ['a body piped back', post('/raw', 'x'.repeat(5000), 'Content-Type: application/octet-stream')],
    ['a file piped', get('/pipe')],
    ['a file', get('/files/page.html')],
    ['a file that is not there', get('/files/none')],
    ['a range of a file', get('/files/large.bin', 'Range: bytes=100-99999')],
    ['a range that is none', get('/files/large.bin', 'Range: bytes=900000-')],
    ['sendFile', get('/send-file')],
    ['pieces', get('/chunks')],
    ['middleware that takes write and end over', get('/shout')],
    ['a stream through a transform', get('/stream')],
    ['a router', get('/routed/here/inside?q')],
    ['a mounted app', get('/mounted/x')],
    ['a handler that throws', get('/throws')],
    ['a handler that rejects', get('/rejects')],
    ['a handler that hands on an error', get('/next')],
    ['an unusual method', 'PROPFIND /x HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['OPTIONS', 'OPTIONS /json HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n'],
    ['HTTP/1.0 that keeps alive', 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'],
    ['a connection that is to be closed', get('/', 'Connection: close')],
    [
      'a body in chunks',
      'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n' +
        '4\r\n{"a"\r\n5;ext=1\r\n:true\r\n1\r\n}\r\n0\r\n\r\n',
    ],
  ];
  for (const [name, request] of cases) {
    test(name, async () => {
      const reply = await same(app, request);
      expect(reply.status).toBeGreaterThan(0);
    });
  }

  test('HEAD', async () => {
    for (const path of ['/', '/json', '/files/page.html', '/chunks', '/nowhere']) {
      const reply = await same(app, `HEAD ${path} HTTP/1.1\r\nHost: a\r\n\r\n`, true);
      expect(reply.text).toBe('');
    }
  });

  test('a file that the client has', async () => {
    const first = await same(app, get('/files/page.html'));
    const reply = await same(app, get('/files/page.html', `If-None-Match: ${first.headers.etag}`));
    expect(reply.status).toBe(304);
  });

  test('a body that is compressed', async () => {
    const body = gzipSync('{"a":1}');
    const head = `POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`;
    const reply = await same(app, Buffer.concat([Buffer.from(head), body]));
    expect(JSON.parse(reply.text).body).toEqual({ a: 1 });
  });

  test('a body that is too large', async () => {
    const reply = await same(app, post('/echo', `{"a":"${'x'.repeat(120_000)}"}`, 'Content-Type: application/json'));
    expect(reply.status).toBe(413);
  });

  test('many requests on one connection, in order', async () => {
    const paths = ['/', '/json', '/pipe', '/chunks', '/empty', '/rejects', '/stream', '/large', '/'];
    const replies = await sameReplies(app, paths.map((path) => get(path)).join(''), paths.length);
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 204, 500, 200, 200, 200]);
  });
});

describe('multer', () => {
  test('takes files and fields', async () => {
    const app = express();
    const upload = multer({ storage: multer.memoryStorage() });
    app.post('/upload', upload.array('files', 3), (request, response) => {
      const files = (request.files as Express.Multer.File[]).map(({ originalname, mimetype, size, buffer }) => ({
        originalname,
        mimetype,
        size,
        sum: buffer.reduce((sum, byte) => sum + byte, 0),
      }));
      response.json({ body: request.body, files });
    });
    const line = '----millrace';
    const part = (head: string, body: Buffer): Buffer =>
      Buffer.concat([
        Buffer.from(`--${line}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
        body,
        Buffer.from('\r\n'),
      ]);
    const body = Buffer.concat([
      part('name="title"', Buffer.from('hello')),
      part('name="files"; filename="a.bin"\r\nContent-Type: application/x-a', large),
      part('name="files"; filename="b.txt"\r\nContent-Type: text/plain', Buffer.from('short')),
      Buffer.from(`--${line}--\r\n`),
    ]);
    const head = `POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=${line}\r\nContent-Length: ${body.length}\r\n\r\n`;
    const reply = await same(app as never, Buffer.concat([Buffer.from(head), body]));
    const got = JSON.parse(reply.text);
    expect(got.body).toEqual({ title: 'hello' });
    expect(got.files[0]).toMatchObject({ originalname: 'a.bin', size: large.length });
  });
});

describe('under load', () => {
  test('several hundred connections at once, every byte checked', async () => {
    const app = express();
    app.use(express.json());
    app.get('/n/:n', (request, response) => {
      const n = Number(request.params.n);
      const body = Buffer.alloc((n % 50) * 997, n % 256);
      if (n % 3 === 0) response.send(body);
      else if (n % 3 === 1) setImmediate(() => response.send(body));
      else new PassThrough().end(body).pipe(response.set('Content-Length', String(body.length)));
    });
    app.post('/sum', (request, response) => {
      response.json({ sum: (request.body.list as number[]).reduce((sum, value) => sum + value, 0) });
    });
    const server = await startNode(app as never);
    const work = async (worker: number): Promise<void> => {
      const client = await RawClient.open(server as never);
      for (let i = 0; i < 6; i++) {
        const n = worker * 6 + i;
        const list = Array.from({ length: n % 200 }, (_, k) => n + k);
        client.say(get(`/n/${n}`) + post('/sum', JSON.stringify({ list }), 'Content-Type: application/json'));
        const reply = await client.reply();
        expect(reply.body.equals(Buffer.alloc((n % 50) * 997, n % 256))).toBe(true);
        const sum = list.reduce((total, value) => total + value, 0);
        expect(JSON.parse((await client.reply()).text)).toEqual({ sum });
      }
    };
    await Promise.all(Array.from({ length: 300 }, (_, worker) => work(worker)));
  });

  test('a slow reader holds the writer back, and gets every byte', async () => {
    const app = express();
    const pieces = 800;
    const piece = Buffer.alloc(64 * 1024, 'z');
    const waiting = deferred();
    let written = 0;
    app.get('/endless', (_request, response) => {
      const more = (): void => {
        while (written < pieces) {
          written++;
          if (!response.write(piece)) {
            waiting.resolve();
            response.once('drain', more);
            return;
          }
        }
        response.end();
      };
      more();
    });
    const server = await startNode(app as never);
    const client = connect(server.port, '127.0.0.1');
    client.write(get('/endless'));
    await waiting.promise;
    expect(written).toBeLessThan(pieces);
    let letters = 0;
    for await (const bytes of client) {
      for (const byte of bytes as Buffer) if (byte === 0x7a) letters++;
      if (letters === pieces * piece.length) break;
    }
    expect(written).toBe(pieces);
  });
});
