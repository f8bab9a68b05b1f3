// What peers get of a server whose handler looks at nothing and answers at once: what the RFCs ask for must not depend on
// the handler's care.
import { describe, expect, test } from 'vitest';
import { Reply } from '../../../lib/http/index.js';
import { REFUSED } from '../refused.js';
import { RawClient, start } from '../scene.js';

describe('a handler that never reads a body', () => {
  /** What fits into one packet: of more, the head has come before. */
  const chunked = REFUSED.filter(([, , bytes]) => /^POST .*chunked\r\n\r\n/s.test(bytes) && bytes.length < 4096);

  test.each(chunked)(
    'is not asked for a request whose body is none: %s (%s)',
    async (_name, _section, bytes, status) => {
      let asked = 0;
      const server = start({
        fetch() {
          asked++;
          return 'hello';
        },
      });
      const client = await RawClient.open(server);
      const reply = await client.say(bytes).reply();
      expect([reply.status, reply.headers.connection]).toEqual([status, 'close']);
      expect(await client.rest()).toBe('');
      expect(asked).toBe(0);
      client.end();
    },
  );

  test('has answered a request before what follows it is refused', async () => {
    const server = start({ fetch: ({ path }) => new Reply(path) });
    const client = await RawClient.open(server);
    const post = 'POST /one HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    client.say(`${post}1\r\na\r\n0\r\nX: y\r\n\r\n${post.replace('one', 'two')}1\r\na\r\n1\r\nbb\r\n0\r\n\r\n`);
    expect(await client.reply()).toMatchObject({ status: 200, text: '/one' });
    expect(await client.reply()).toMatchObject({ status: 400, headers: { connection: 'close' } });
    expect(await client.rest()).toBe('');
    client.end();
  });
});
