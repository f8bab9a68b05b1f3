// The examples of apps that were written for others.
import { afterEach, expect, test } from 'vitest';
import { Example } from './run-example.js';

const running: Example[] = [];

async function start(name: string): Promise<string> {
  const example = new Example(name, ['0']);
  running.push(example);
  const [, port] = await example.says(/^listening on 127\.0\.0\.1:(\d+)/);
  return `http://127.0.0.1:${port}`;
}

afterEach(async () => {
  for (const example of running.splice(0)) {
    example.signal('SIGTERM');
    expect(await example.ended).toMatchObject({ code: 0, errors: '' });
  }
});

test('http-express: notes are kept, shown and listed; errors are told', async () => {
  const url = await start('http-express');
  expect((await fetch(`${url}/notes/a`)).status).toBe(404);
  const made = await fetch(`${url}/notes/a`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: '{"text":"first"}',
  });
  expect([made.status, made.headers.get('location'), await made.json()]).toEqual([201, '/notes/a', { text: 'first' }]);
  expect(await (await fetch(`${url}/notes/a`)).json()).toEqual({ text: 'first' });
  expect(await (await fetch(`${url}/notes`)).json()).toEqual(['a']);
  const failed = await fetch(`${url}/fail`);
  expect([failed.status, await failed.json()]).toEqual([500, { error: 'something broke' }]);
});

test('http-hono: text, JSON, events and an upload', async () => {
  const url = await start('http-hono');
  const hello = await fetch(url);
  expect([await hello.text(), hello.headers.get('x-powered-by')]).toEqual(['Hello from Hono', 'Millrace']);
  expect(await (await fetch(`${url}/hello/you`)).json()).toEqual({ hello: 'you', from: '127.0.0.1' });
  expect(await (await fetch(`${url}/count/3`)).text()).toBe('data: 1\n\ndata: 2\n\ndata: 3\n\n');
  const form = new FormData();
  form.set('file', new File(['x'.repeat(5000)], 'a.txt'));
  const uploaded = await fetch(`${url}/upload`, { method: 'POST', body: form });
  expect(await uploaded.json()).toEqual({ name: 'a.txt', bytes: 5000 });
  expect((await fetch(`${url}/upload`, { method: 'POST', body: new FormData() })).status).toBe(400);
});
