// A task, a timer and an echo over TCP, from the installed package.
import { runtimeInfo, scope, sleep, spawn } from 'millrace';
import { connect, listen } from 'millrace/net';
import { channel } from 'millrace/sync';

const slept = await spawn(function* () {
  const started = performance.now();
  yield* sleep(5);
  return performance.now() - started >= 5;
});

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

const [sender, receiver] = channel(1);
let received = 0;
await scope(async (tasks) => {
  tasks.spawn(async () => {
    for (let value = 1; value <= 3; value++) await sender.send(value);
    sender.close();
  });
  for await (const value of receiver) received += value;
});

const { node, arch, backend } = runtimeInfo();
console.log(JSON.stringify({ node, arch, backend, slept, echoed, received }));
