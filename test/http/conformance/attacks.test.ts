// Every attack, and every request that is none, through a whole server, with the backend that MILLRACE_BACKEND names: in one
// packet, and cut in two. What is refused has its reply, the connection ends in order, and nothing behind it is handled.
import { describe, expect, test } from 'vitest';
import {
  type HttpError,
  type HttpRequest,
  type HttpServer,
  Reply,
  type ServeOptions,
} from '../../../lib/http/index.js';
import { localhost } from '../../tls/certificates.js';
import { ACCEPTED, REFUSED } from '../refused.js';
import { RawClient, start } from '../scene.js';
import { ATTACKS, type Attack, FOLLOWS } from './attacks.js';

interface Scene {
  readonly server: HttpServer;
  readonly handled: string[];
}

function scene(options: Partial<ServeOptions> = {}): Scene {
  const handled: string[] = [];
  const server = start({
    ...options,
    async fetch(request: HttpRequest) {
      const { method, path } = request;
      let body: string;
      try {
        body = await request.text();
      } catch (error) {
        body = `!${(error as HttpError).status}`;
        handled.push(`${method} ${path} ${body}`);
        throw error;
      }
      handled.push(`${method} ${path} ${body}`);
      return new Reply(path, { status: method === 'CONNECT' ? 405 : 200 });
    },
  });
  return { server, handled };
}

async function expectOutcome(
  { server, handled }: Scene,
  { bytes, statuses, goesOn, ...attack }: Attack,
): Promise<void> {
  const all = bytes + FOLLOWS;
  for (const cut of [0, Math.floor(bytes.length / 2), bytes.length - 1]) {
    handled.length = 0;
    const client = await RawClient.open(server);
    await client.sayEach(cut === 0 ? [all] : [all.slice(0, cut), all.slice(cut)]);
    for (const status of statuses) expect((await client.reply()).status).toBe(status);
    if (goesOn) {
      expect((await client.reply()).text).toBe('/follows');
      expect(handled).toEqual([...attack.handled, 'GET /follows ']);
      client.destroy();
    } else {
      // No reset overtakes the reply: `rest` would throw it.
      expect(await client.rest()).toBe('');
      // A body that shows to be none together with its head is nobody's to handle.
      const without = attack.handled.filter((request) => !request.endsWith('!400'));
      expect(cut === 0 ? [without] : [without, attack.handled]).toContainEqual(handled);
      client.end();
    }
  }
}

describe('smuggling, desync, and what is no HTTP/1', () => {
  const shared = scene;
  test.each(ATTACKS.map((attack) => [attack.name, attack] as const))('%s', async (_name, attack) => {
    await expectOutcome(shared(), attack);
  });

  test('the same over TLS', async () => {
    const { server: certificate, authority } = localhost();
    const { server, handled } = scene({ tls: { key: certificate.key, cert: certificate.cert } });
    await server.ready;
    const { connect } = await import('node:tls');
    for (const { bytes, statuses, goesOn } of ATTACKS) {
      handled.length = 0;
      const socket = connect({ port: server.port, host: '127.0.0.1', ca: authority.cert, servername: 'localhost' });
      const pieces: Buffer[] = [];
      socket.on('data', (data) => pieces.push(data));
      socket.write(Buffer.from(bytes + FOLLOWS, 'latin1'));
      const text = (): string => Buffer.concat(pieces).toString('latin1');
      await new Promise<void>((resolve, reject) => {
        socket.on('end', resolve);
        socket.on('error', reject);
        if (goesOn) socket.on('data', () => text().endsWith('/follows') && resolve());
      });
      const found = [...text().matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
      expect(found, bytes).toEqual(goesOn ? [...statuses, 200] : statuses);
      expect(handled.includes('GET /follows ')).toBe(goesOn === true);
      socket.destroy();
    }
  });
});

describe('refused', () => {
  test.each(REFUSED)('%s (%s)', async (_name, _section, bytes, status) => {
    const { server, handled } = scene();
    const client = await RawClient.open(server);
    client.say(bytes + FOLLOWS);
    const reply = await client.reply();
    expect([reply.status, reply.headers.connection]).toEqual([status, 'close']);
    expect(await client.rest()).toBe('');
    expect(handled).not.toContain('GET /follows ');
    client.end();
  });
});

describe('accepted', () => {
  test.each(ACCEPTED)('%s', async (_name, bytes) => {
    const { server, handled } = scene();
    const client = await RawClient.open(server);
    client.say(bytes + FOLLOWS);
    expect((await client.reply()).status).toBeLessThan(406);
    expect(handled[0]).not.toBe('GET /follows ');
    expect(handled.length).toBeLessThanOrEqual(2);
  });
});
