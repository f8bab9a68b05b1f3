// The UDP time server and its client, and node:dgram beside them.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { Example } from './run-example.js';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

test('udp-time answers its own client and node:dgram, and ends orderly', async () => {
  const server = new Example('udp-time', ['serve', '0']);
  const [, port] = await server.says(/answering on 127\.0\.0\.1:(\d+)/);
  const { code, output, errors } = await new Example('udp-time', ['ask', String(port)]).ended;
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  const lines = output.trim().split('\n');
  expect(lines).toHaveLength(5);
  for (const line of lines) expect(line).toMatch(TIME);

  const node = createSocket('udp4');
  node.send('?', Number(port), '127.0.0.1');
  const [answer] = (await once(node, 'message')) as [Buffer];
  expect(String(answer)).toMatch(TIME);
  node.close();

  server.signal('SIGTERM');
  const end = await server.ended;
  expect({ code: end.code, errors: end.errors }).toEqual({ code: 0, errors: '' });
  expect(end.output).toContain('answered 6 questions');
});

test('udp-time says that nobody answers', async () => {
  const node = createSocket('udp4');
  node.bind(0, '127.0.0.1');
  await once(node, 'listening');
  const { port } = node.address();
  node.close();
  await once(node, 'close');
  const { code, output, errors } = await new Example('udp-time', ['ask', String(port)]).ended;
  expect({ code, output }).toEqual({ code: 1, output: '' });
  expect(errors).toContain('ECONNREFUSED');
});
