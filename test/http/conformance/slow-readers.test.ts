// Peers that ask for much and read nothing, on a real network: more than all arenas hold waits for them, and others are
// served meanwhile.
import { expect, test } from 'vitest';
import { get, RawClient, start } from '../scene.js';

/** Together 60 MB for each, more than any kernel takes. */
const REQUESTS = 300;

test('fifty of them do not hold up those who read', async () => {
  let made = 0;
  const server = start({
    fetch: (request) => {
      if (request.path === '/good') return 'good';
      made++;
      return 'x'.repeat(200_000);
    },
  });
  const greedy: RawClient[] = [];
  for (let i = 0; i < 50; i++) greedy.push((await RawClient.open(server)).pause().say(get().repeat(REQUESTS)));
  const good = await RawClient.open(server);
  for (let i = 0; i < 200; i++) expect((await good.say(get('/good')).reply()).text).toBe('good');
  // What the kernels take is let through; of what waits there is no more than the pipelines hold.
  expect(made).toBeLessThan((50 * REQUESTS) / 2);
  const [client] = greedy as [RawClient];
  client.resume();
  for (let i = 0; i < REQUESTS; i++) expect((await client.reply()).body.length).toBe(200_000);
}, 60_000);
