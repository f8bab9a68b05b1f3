// argv: cycles. Many at a time, so that slots are used again in every order.
import { connect, listen } from '../../../build/test/lib/net/index.js';
import { churn, leftInAddon } from './storm.mjs';

const cycles = Number(process.argv[2]);
const listener = await listen({ host: '127.0.0.1', backlog: 1024, data: (socket, chunk) => void socket.write(chunk) });
const { port } = listener;
const message = Buffer.alloc(64, 'x');

const left = await churn(cycles, 32, async (n) => {
  const socket = await connect({ host: '127.0.0.1', port });
  void socket.write(message);
  if (((await socket.read()) ?? '').length !== 64) throw new Error('no echo');
  // With a reset no port is left in TIME_WAIT: a million would not do without.
  if (n % 8 === 0) await socket.close();
  else socket.destroy();
});
await listener.close();
console.log(JSON.stringify({ cycles: listener.accepted, ...left, ...leftInAddon() }));
