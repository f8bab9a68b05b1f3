import { expect, test } from 'vitest';
import { sleep } from '../../lib/index.js';
import { connect, listen } from '../../lib/net/index.js';

// The kernel was lent receive buffers at the first tick, also when their memory did not exist yet: every receive failed,
// for ever. A file of its own, because the timer must come before the process's first socket.
test('a first socket that comes after a timer has buffers to receive into', async () => {
  await sleep(5);
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    data(socket, chunk) {
      socket.write(chunk);
    },
  });
  const socket = await connect({ host: '127.0.0.1', port: listener.port });
  await socket.write('the mill wheel turns');
  socket.shutdown();
  let echoed = '';
  for await (const chunk of socket) echoed += chunk;
  await listener.close();
  expect(echoed).toBe('the mill wheel turns');
});
