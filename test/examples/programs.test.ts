import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Example, linesOf } from './run-example.js';

const TESTED = [
  'chat-server',
  'graceful-handover',
  'graceful-shutdown',
  'hello-tasks',
  'http-express',
  'http-hello',
  'http-hono',
  'http-json-api',
  'http-reverse-proxy',
  'http-sse',
  'http-static-files',
  'http-upload',
  'pooled-pipeline',
  'postgres-client',
  'scope-failing-child',
  'select-timeout',
  'tcp-echo',
  'tcp-echo-streams',
  'tcp-proxy',
  'tls-echo',
  'udp-time',
  'worker-pool',
];

test('every example has a test here or in one of its neighbours', () => {
  const folder = new URL('../../examples/', import.meta.url);
  const programs = readdirSync(folder).filter((file) => file.endsWith('.mjs'));
  expect(programs.map((file) => file.slice(0, -'.mjs'.length)).sort()).toEqual(TESTED);
});

test('hello-tasks: fibers take turns, results come in the order of the handles', async () => {
  expect(await linesOf('hello-tasks')).toEqual([
    'spawned',
    'Ann says hello 1',
    'Bob says hello 1',
    'Ann says hello 2',
    'Bob says hello 2',
    'Ann says hello 3',
    'Bob says hello 3',
    'Ann is done',
    'Bob is done',
    'nap is over',
  ]);
});

test('scope-failing-child: the siblings are cancelled and clean up before the scope throws', async () => {
  const lines = await linesOf('scope-failing-child');
  expect(lines.slice(0, 2).sort()).toEqual(['first cleans up', 'second cleans up']);
  expect(lines.slice(2)).toEqual(['the scope failed: the disk is full', 'and nothing was waited for']);
});

test('select-timeout: the first wins, the others are cancelled', async () => {
  expect(await linesOf('select-timeout')).toEqual([
    'message: an order',
    'tooLate',
    'slow was cancelled',
    'Not done within 10 ms',
    'the fiber got a message',
  ]);
});

test('pooled-pipeline: every worker works, no more buffers than fit are allocated, and all come back', async () => {
  expect(await linesOf('pooled-pipeline', '512')).toEqual([
    'worker 0: had work',
    'worker 1: had work',
    'worker 2: had work',
    'worker 3: had work',
    // Twice the sum of 0..255, times 4096 bytes.
    `512 blocks, sum ${2 * ((255 * 256) / 2) * 4096}`,
    'buffers allocated: at most 13',
    'buffers not released: 0',
  ]);
});

test('worker-pool: two at a time, one retry, and a failure leaves the others alone', async () => {
  const lines = await linesOf('worker-pool');
  expect(lines.slice(0, -1).sort()).toEqual([
    'a: a after one try',
    'b: b after 2 tries',
    'c: c after one try',
    'd: failed, Not done within 20 ms',
    'e: e after one try',
  ]);
  expect(lines.at(-1)).toBe('at most 2 at a time');
});

test('graceful-shutdown: SIGTERM ends it, with nothing half done', async () => {
  const example = new Example('graceful-shutdown');
  await example.says(/open\n/);
  example.signal('SIGTERM');
  const { code, output, errors } = await example.ended;
  expect(errors).toBe('');
  const lines = output.trimEnd().split('\n');
  expect(lines.slice(1, 3).sort()).toEqual(['Ann went home', 'Bob went home']);
  expect(lines.slice(3)).toEqual(['closed by SIGTERM', 'no order was left half done']);
  expect(code).toBe(0);
});
