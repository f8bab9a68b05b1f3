// A destroyed socket must not look like one whose peer had said all that it had to say.
import { expect, test } from 'vitest';
import { codeOf, Scene } from './scene.js';

const scene = new Scene();

test('a read that waits when its socket is destroyed is thrown ERR_MILLRACE_SOCKET_CLOSED, not given the end', async () => {
  const { at } = await scene.pair();
  const read = at.read();
  at.destroy();
  expect(await codeOf(() => read)).toBe('ERR_MILLRACE_SOCKET_CLOSED');
});

test('so is a read that comes later, and for await', async () => {
  const { at } = await scene.pair();
  at.destroy();
  expect(await codeOf(() => at.read())).toBe('ERR_MILLRACE_SOCKET_CLOSED');
  expect(
    await codeOf(async () => {
      for await (const _ of at);
    }),
  ).toBe('ERR_MILLRACE_SOCKET_CLOSED');
});
