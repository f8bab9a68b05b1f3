// HTTP: what is sent, which replies are taken for right, and that every way in which a server can cheat is noticed.
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildLoad, measure, runLoad } from './load.js';

beforeAll(buildLoad, 300_000);

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

function listen(server: Server): Promise<string[]> {
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(['--port', String((server.address() as AddressInfo).port)]));
  });
}

/** A server of requests without a body: `answer` is called for each. */
function serve(answer: (socket: Socket, request: string) => void): Promise<string[]> {
  const server = createServer({ noDelay: true }, (socket) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const requests = text.split('\r\n\r\n');
      text = requests.pop() ?? '';
      for (const request of requests) answer(socket, request);
    });
    socket.on('error', () => socket.destroy());
  });
  return listen(server);
}

const reply = (body: string, fields = '') =>
  `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;

const QUICK = ['--seconds', '0.15', '--warmup', '0'];
const HELLO = ['--request', 'GET /hello', '--expect', 'Hello'];

describe.runIf(process.platform === 'linux')('the HTTP load', () => {
  it('counts replies, times each, and reads the server’s CPU clock', async () => {
    const seen = new Set<string>();
    const where = await serve((socket, request) => {
      seen.add(request);
      socket.write(reply('Hello'));
    });
    const words = ['--connections', '3', '--in-flight', '4', '--server-pid', String(process.pid)];
    const result = await measure('http', ...where, ...QUICK, ...HELLO, '--header', 'X-A: b', ...words);
    expect(result).toMatchObject({ mode: 'http', loop: 'closed', connections: 3, inFlight: 4 });
    expect([...seen]).toEqual([`GET /hello HTTP/1.1\r\nHost: 127.0.0.1:${where[1]}\r\nX-A: b`]);
    expect(result.requests).toBeGreaterThan(10);
    expect(result.requestsPerSecond * result.seconds).toBeCloseTo(result.requests, -1);
    expect(result.serverCpuSeconds).toBeGreaterThan(0);
    expect(result.latencyMicroseconds.p50).toBeGreaterThan(0);
    expect(result).not.toHaveProperty('messageBytes');
  });

  it('reads replies however they are cut up: heads, lengths, chunks, trailers, an interim reply', async () => {
    const forms = [
      `HTTP/1.1 100 Continue\r\n\r\n${reply('Hello', 'Date: today\r\n')}`,
      'HTTP/1.1 200\r\ntransfer-encoding:Chunked \r\n\r\n2;a=b\r\nHe\r\n03\r\nllo\r\n0\r\nX-Sum: 1\r\n\r\n',
    ];
    let requests = 0;
    const where = await serve(async (socket) => {
      const text = forms[requests++ % forms.length] ?? '';
      // Each cut once, at a place that moves on, and the rest byte by byte.
      const cut = requests % text.length;
      socket.write(text.slice(0, cut));
      for (const byte of text.slice(cut)) await new Promise((resolve) => socket.write(byte, resolve));
    });
    const result = await measure('http', ...where, '--seconds', '0.4', '--warmup', '0', ...HELLO, '--connections', '1');
    expect(result.requests).toBeGreaterThan(2);
  });

  it('takes replies without a body for what they are', async () => {
    const replies: Readonly<Record<string, string>> = {
      HEAD: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
      DELETE: 'HTTP/1.1 204 No Content\r\n\r\n',
      GET: reply(''),
    };
    const where = await serve((socket, request) => socket.write(replies[request.split(' ')[0] ?? ''] ?? ''));
    const requests = [
      ...['--request', 'HEAD /', '--request', 'DELETE /', '--status', '204'],
      ...['--request', 'GET /', '--expect', ''],
    ];
    expect((await measure('http', ...where, ...QUICK, ...requests)).requests).toBeGreaterThan(0);
  });

  it('sends bodies, and mixes requests by their weight', async () => {
    const counts = { '/a': 0, '/b': 0, '/c': 0 };
    const server = createHttpServer((request, response) => {
      counts[request.url as keyof typeof counts]++;
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => response.end(Buffer.concat(chunks)));
    });
    const where = await listen(server);
    const large = 300_001;
    const requests = [
      ...['--request', 'POST /a', '--body', '{"a":1}', '--expect', '{"a":1}', '--weight', '3'],
      ...['--request', 'PUT /b', '--body-bytes', String(large), '--expect-bytes', String(large)],
      ...['--request', 'GET /c', '--expect-length', '0', '--weight', '2'],
    ];
    const words = ['--connections', '5', '--requests-each', '12', '--seconds', '0.01', '--warmup', '0'];
    const result = await measure('http', ...where, ...requests, ...words);
    const rounds = result.requests / 60;
    // The first round is not in the window.
    expect(counts).toEqual({ '/a': 30 * (rounds + 1), '/b': 10 * (rounds + 1), '/c': 20 * (rounds + 1) });
    server.closeAllConnections();
  });

  it.each<[string, string | ((socket: Socket) => void), RegExp]>([
    [
      'has another status',
      'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n',
      /GET \/hello: status 404 instead of 200/,
    ],
    ['changes a byte', reply('Hellp'), /GET \/hello: a body with wrong bytes/],
    ['has a shorter body', reply('Hell'), /a body of 4 bytes instead of 5/],
    ['has a longer body', reply('Hello!'), /a body of 6 bytes instead of 5/],
    [
      'has fewer chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nHell\r\n0\r\n\r\n',
      /a body of 4 bytes/,
    ],
    [
      'has more chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nHello!\r\n0\r\n\r\n',
      /more than 5 bytes/,
    ],
    [
      'has a wrong chunk',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHallo\r\n0\r\n\r\n',
      /wrong bytes/,
    ],
    [
      'has a chunk too long',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nHello\r\n0\r\n\r\n',
      /longer than its size/,
    ],
    [
      'has a chunk without a size',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nHello\r\n0\r\n\r\n',
      /no size/,
    ],
    ['has two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nHello', /two Content-Length/],
    ['has a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nHello', /Content-Length is no number/],
    [
      'has both framings',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      /both Content-Length/,
    ],
    ['has another coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', /not just chunked/],
    ['has no length', 'HTTP/1.1 200 OK\r\n\r\nHello', /without a length/],
    ['is of another version', 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nHello', /does not begin with HTTP\/1\.1/],
    ['has no status', 'HTTP/1.1 20 OK\r\nContent-Length: 5\r\n\r\nHello', /no number of three digits/],
    ['has bare line feeds', 'HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nHello', /bare line feed/],
    ['folds a line', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 5\r\n\r\nHello', /header line that is none/],
    ['has a space before a colon', 'HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nHello', /header line that is none/],
    ['has a NUL', 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 5\r\n\r\nHello', /control character/],
    ['will be the last', reply('Hello', 'Connection: x, Close\r\n'), /announced that it closes/],
    ['comes twice', reply('Hello') + reply('Hello'), /more than it was asked for/],
    ['is cut off', (socket: Socket) => void socket.end(reply('Hello').slice(0, -1)), /in the middle of a reply/],
    ['does not come', (socket: Socket) => void socket.end(), /closed a connection$/m],
    ['is a reset', (socket: Socket) => void socket.resetAndDestroy(), /Connection reset/],
  ])('notices a reply that %s', async (_, answer, message) => {
    const where = await serve((socket) => (typeof answer === 'string' ? socket.write(answer) : answer(socket)));
    const finished = await runLoad('http', ...where, ...QUICK, ...HELLO, '--connections', '1');
    expect(finished.stderr).toMatch(message);
    expect(finished.code).toBe(1);
    expect(finished.stdout).toBe('');
  });

  it('looks at every reply, not only at the first', async () => {
    let count = 0;
    const where = await serve((socket) => socket.write(reply(++count === 20 ? 'Hallo' : 'Hello')));
    const finished = await runLoad('http', ...where, '--seconds', '5', '--warmup', '0', ...HELLO, '--connections', '1');
    expect(finished.stderr).toMatch(/wrong bytes/);
    expect(count).toBe(20);
  });

  it.each([
    [[], /--request is required/],
    [['--expect', 'x', '--request', 'GET /'], /--expect belongs to a --request before it/],
    [['--request', 'GET'], /must be a method and a path/],
    [['--request', 'G T /'], /must be a method and a path/],
    [['--request', 'GET /', '--header', 'none'], /--header must be/],
    [['--request', 'GET /', '--status', '99'], /--status must be a whole number from 200 to 599/],
    [['--request', 'GET /', '--rate', '5', '--requests-each', '3'], /only one of/],
    [['--request', 'GET /', '--bytes', '5'], /--bytes means nothing to http/],
    [['--request', 'GET /', '--seed', '5'], /--seed needs --rate/],
  ])('refuses %j', async (words, message) => {
    const finished = await runLoad('http', '--port', '80', ...words);
    expect(finished.stderr).toMatch(message);
    expect(finished.code).toBe(2);
  });

  it('means nothing to other modes', async () => {
    const finished = await runLoad('echo', '--port', '80', '--request', 'GET /');
    expect(finished.stderr).toMatch(/--request means nothing to echo/);
  });
});

describe.runIf(process.platform === 'linux')('the open loop over HTTP', () => {
  it('sends what the schedule says', async () => {
    let requests = 0;
    const where = await serve((socket) => {
      requests++;
      socket.write(reply('Hello'));
    });
    const words = ['--rate', '1000', '--seconds', '0.3', '--warmup', '0.1', '--connections', '5'];
    const result = await measure('http', ...where, ...HELLO, ...words);
    expect(result).toMatchObject({ mode: 'http', loop: 'open', rate: 1_000, scheduled: 300, unanswered: 0 });
    expect(requests).toBe(400);
  });

  it('sees a stall in every request that was due while it lasted', async () => {
    // The answers to request 500 and all later ones are held back until 1,500 have come: as for the echo.
    const held: Socket[] = [];
    let received = 0;
    const where = await serve((socket) => {
      received++;
      held.push(socket);
      if (received >= 500 && received < 1_500) return;
      for (const to of held.splice(0)) to.write(reply('Hello'));
    });
    const words = ['--rate', '2000', '--seconds', '1', '--warmup', '0', '--connections', '4'];
    const { scheduled, unanswered, latencyMicroseconds } = await measure('http', ...where, ...HELLO, ...words);
    expect({ scheduled, unanswered }).toEqual({ scheduled: 2_000, unanswered: 0 });
    expect(latencyMicroseconds.p99).toBeGreaterThanOrEqual(489_000);
    expect(latencyMicroseconds.p90).toBeGreaterThanOrEqual(399_000);
  });
});

describe.runIf(process.platform === 'linux')('rounds', () => {
  it('are whole: each opens its connections, sends so many requests on each, and closes them', async () => {
    const onEach = new Map<Socket, number>();
    const where = await serve((socket) => {
      onEach.set(socket, (onEach.get(socket) ?? 0) + 1);
      socket.write(reply('Hello'));
    });
    const words = ['--connections', '10', '--requests-each', '7', '--seconds', '0.1', '--warmup', '0.05'];
    const result = await measure('http', ...where, ...HELLO, ...words);
    expect(result).toMatchObject({ loop: 'rounds', connections: 10, requestsEach: 7 });
    expect(result.requests).toBe(result.rounds * 70);
    expect(new Set(onEach.values())).toEqual(new Set([7]));
    expect(onEach.size % 10).toBe(0);
    expect(onEach.size / 10).toBeGreaterThanOrEqual(result.rounds + 1);
    expect(result.firstRoundPerSecond).toBeGreaterThan(0);
    expect(result.requestsPerSecond).toBeGreaterThanOrEqual((result.requests / result.seconds) * 0.999);
  });
});

describe.runIf(process.platform === 'linux')('the steady load', () => {
  const steady = ['--interval', '10', '--seconds', '0.3', '--warmup', '0'];

  it('sends one request each interval on one connection', async () => {
    const sockets = new Set<Socket>();
    const where = await serve((socket) => {
      sockets.add(socket);
      socket.write(reply('Hello'));
    });
    const result = await measure('http', ...where, ...HELLO, ...steady);
    expect(result).toMatchObject({ loop: 'steady', intervalMs: 10, requests: 30, failures: 0 });
    expect(sockets.size).toBe(1);
  });

  it('counts what fails, in whatever way, and goes on over a new connection', async () => {
    let count = 0;
    const faults: Readonly<Record<number, (socket: Socket) => void>> = {
      3: (socket) => socket.write(reply('Hallo')),
      6: (socket) => socket.end(),
      9: (socket) => socket.resetAndDestroy(),
      12: () => {},
    };
    const where = await serve((socket) => {
      count++;
      const fault = faults[count];
      if (fault === undefined) socket.write(reply('Hello'));
      else fault(socket);
    });
    const finished = await runLoad('http', ...where, ...HELLO, ...steady, '--timeout', '0.05');
    expect(finished.code).toBe(0);
    expect(finished.stderr).toMatch(/the first of 4 failures: GET \/hello: a body with wrong bytes/);
    expect(JSON.parse(finished.stdout)).toMatchObject({ requests: 30, failures: 4 });
  });

  it('is no figure when everything fails', async () => {
    const where = await serve((socket) => socket.end());
    const finished = await runLoad('http', ...where, ...HELLO, ...steady);
    expect(finished.code).toBe(1);
    expect(finished.stderr).toMatch(/each of 30 requests failed, the first: the server closed a connection/);
  });
});

describe.runIf(process.platform === 'linux')('idle connections over HTTP', () => {
  it('have each been answered before they fall idle', async () => {
    const answered = new Map<Socket, number>();
    const where = await serve((socket) => {
      answered.set(socket, (answered.get(socket) ?? 0) + 1);
      socket.write(reply('Hello'));
    });
    const words = ['--connections', '30', '--prime', '5', '--settle', '0', '--server-pid', String(process.pid)];
    const result = await measure('idle', ...where, ...HELLO, ...words);
    expect(result).toMatchObject({ mode: 'idle', connections: 30 });
    expect(result).not.toHaveProperty('messageBytes');
    expect(answered.size).toBe(35);
    expect(new Set(answered.values())).toEqual(new Set([1]));
  });
});
