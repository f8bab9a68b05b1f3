// What a UDP socket means for its process and its thread.
import { describe, expect, test } from 'vitest';
import { result, run } from '../program.js';

describe('the end of the process', () => {
  test.each([
    ['unref', ''],
    ['closed', ''],
    ['waiting-receive', ''],
    ['open', '0\n1\n2\n3\n4\n'],
    ['sent-at-exit', 'last\n'],
  ])('%s', async (what, before) => {
    const { code, output, errors } = await run('net/udp/programs/lives.mjs', { args: [what] });
    expect({ code, output, errors }).toEqual({ code: 0, output: `${before}end\n`, errors: '' });
  });
});

test('a worker is terminated while it receives and sends', async () => {
  expect(await result('net/udp/programs/terminate-workers.mjs')).toEqual({ ended: 12 });
});
