// The proxy, the chat server and the hand-over, spoken to by plain node:net clients.
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as nodeConnect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Example } from './run-example.js';

const TIMEOUT_OF_A_MEMBER_MS = 5000;

async function start(name: string, ...args: string[]): Promise<{ example: Example; port: number }> {
  const example = new Example(name, args);
  const [, port] = await example.says(/127\.0\.0\.1:(\d+)/);
  return { example, port: Number(port) };
}

async function client(port: number, options = {}): Promise<Socket> {
  const socket = nodeConnect({ port, host: '127.0.0.1', ...options });
  await once(socket, 'connect');
  return socket;
}

/** Reads on until the text has come that `pattern` describes. */
function reader(socket: Socket): (pattern: RegExp) => Promise<string> {
  let text = '';
  socket.on('data', (chunk) => (text += chunk));
  return async (pattern) => {
    while (!pattern.test(text)) await once(socket, 'data', { signal: AbortSignal.timeout(TIMEOUT_OF_A_MEMBER_MS) });
    return text;
  };
}

describe('tcp-proxy', () => {
  test('carries both directions, more than fits into memory limits, and half-closed connections', async () => {
    const received: Buffer[] = [];
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('data', (chunk) => received.push(chunk));
      // The client has ended its side: the answer comes after that.
      socket.on('end', () => socket.end(Buffer.concat(received)));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { example, port } = await start('tcp-proxy', '0', String((server.address() as AddressInfo).port));
    const socket = await client(port, { allowHalfOpen: true });
    const sent = Buffer.alloc(20_000_000, 'millrace');
    socket.end(sent);
    const back: Buffer[] = [];
    for await (const chunk of socket) back.push(chunk as Buffer);
    expect(Buffer.concat(back).equals(sent)).toBe(true);
    example.signal('SIGTERM');
    expect(await example.ended).toMatchObject({ code: 0, errors: '' });
    server.close();
  });

  test('a target that refuses ends the client and nothing else', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port: target } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    const { example, port } = await start('tcp-proxy', '0', String(target));
    for (let i = 0; i < 2; i++) {
      // It may be told before it knows that it has connected.
      const socket = nodeConnect(port, '127.0.0.1').on('error', () => {});
      await new Promise((resolve) => socket.on('close', resolve));
    }
    example.signal('SIGTERM');
    const { code, errors } = await example.ended;
    expect(code).toBe(0);
    expect(errors).toContain('ECONNREFUSED');
  });
});

test('chat-server: all but the speaker hear what is said, who comes and who goes', async () => {
  const { example, port } = await start('chat-server', '0');
  const [ann, bob] = [await client(port), await client(port)] as const;
  const [annHears, bobHears] = [reader(ann), reader(bob)];
  await Promise.all([annHears(/name/), bobHears(/name/)]);
  ann.write('Ann\n');
  // Ann is a member when Bob's arrival reaches her.
  bob.write('Bob\n');
  await annHears(/\* Bob is here/).catch(async () => annHears(/name/));
  ann.write('hello, ');
  ann.write('Bob\nand bye\n');
  await bobHears(/Ann: hello, Bob\nAnn: and bye\n/);
  bob.write('x'.repeat(2000));
  await bobHears(/At most 1000 bytes a line/);
  expect(await annHears(/\* Bob has gone/)).not.toContain('hello');
  example.signal('SIGTERM');
  const { code, output, errors } = await example.ended;
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(output).toContain('ended: the server is stopping');
  ann.destroy();
});

test('graceful-handover: the successor serves, and who is connected is served to the end', async () => {
  const { example, port } = await start('graceful-handover', '0');
  const [, first] = (await example.says(/^(\d+) listens/)) as unknown as [string, string];
  const kept = await client(port);
  const keptHears = reader(kept);
  kept.write('one;');
  await keptHears(/^\d+: one;/);
  example.signal('SIGUSR2');
  const [, second] = (await example.says(/(?<!^)\b(\d+) listens/)) as unknown as [string, string];
  expect(second).not.toBe(first);
  kept.write('two;');
  expect(await keptHears(/two;/)).toBe(`${first}: one;${first}: two;`);
  kept.end();
  await example.says(new RegExp(`${first} handed over, 0 connections were cut off`));
  const later = await client(port);
  later.write('three;');
  expect(await reader(later)(/three;/)).toBe(`${second}: three;`);
  later.end();
  await once(later, 'close');
  process.kill(Number(second), 'SIGTERM');
  await example.says(new RegExp(`${second} ended, 0 connections were cut off`));
  expect(await example.ended).toMatchObject({ code: 0, errors: '' });
});
