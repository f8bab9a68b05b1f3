// Several threads on one port, and a port that goes from one process to the next, under clients that never stop.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { result } from './program.js';
import { until } from './scene.js';

test('four threads share a port; one is terminated under load, and the others go on', async () => {
  const outcome = (await result('net/programs/many-workers.mjs')) as {
    before: Record<string, number>;
    during: Record<string, number>;
    after: Record<string, number>;
    byThread: number[];
    destroyed: number[];
  };
  expect(Object.keys(outcome.before)).toEqual(['served']);
  expect(Object.keys(outcome.after)).toEqual(['served']);
  for (const code of Object.keys(outcome.during)) expect(['served', 'ECONNRESET', 'closed', 'EPIPE']).toContain(code);
  expect(outcome.byThread.every((served) => served > 50)).toBe(true);
  expect(outcome.destroyed).toEqual([0, 0, 0]);
});

/** One request on a connection of its own. */
function request(port: number): Promise<string> {
  return new Promise((resolve) => {
    let outcome = 'closed without an answer';
    const socket = connect(port, '127.0.0.1', () => socket.write('hello'));
    socket.on('data', () => {
      outcome = 'served';
      socket.end();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => (outcome = error.code ?? String(error)));
    socket.on('close', () => resolve(outcome));
  });
}

test('a listener goes to a successor process, and not one connection is refused or reset', async () => {
  const program = fileURLToPath(new URL('./programs/predecessor.mjs', import.meta.url));
  const server = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  server.stdout.on('data', (text) => (output += text));
  /** The line that holds `text`, once it is there. */
  const line = async (text: string): Promise<string> => {
    const found = (): string | undefined =>
      output
        .split('\n')
        .slice(0, -1)
        .find((line) => line.includes(text));
    await until(() => found() !== undefined);
    return found() as string;
  };
  const port = Number(await line(''));

  const outcomes = new Map<string, number>();
  let requests = 0;
  let going = true;
  const clients = Array.from({ length: 20 }, async () => {
    while (going) {
      const outcome = await request(port);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      requests++;
    }
  });
  const moreRequests = async (): Promise<void> => {
    const before = requests;
    await until(() => requests > before + 300);
  };
  await moreRequests();
  server.kill('SIGUSR2');
  const predecessor = JSON.parse(await line('"predecessor"'));
  await moreRequests();
  going = false;
  await Promise.all(clients);
  process.kill(predecessor.heirPid, 'SIGTERM');
  const successor = JSON.parse(await line('"successor"'));
  await once(server, 'close');

  expect(Object.fromEntries(outcomes)).toEqual({ served: requests });
  expect(predecessor.accepted + successor.accepted).toBe(requests);
  expect([predecessor.destroyed, successor.destroyed]).toEqual([0, 0]);
  expect(predecessor.accepted).toBeGreaterThanOrEqual(300);
  expect(successor.accepted).toBeGreaterThan(0);
});
