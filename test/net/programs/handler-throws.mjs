// A handler without an `error` handler beside it throws (argv: which); the error must reach uncaughtException, once, and
// another connection must not notice.
import { connect, listen } from '../../../build/test/lib/net/index.js';

const which = process.argv[2];
const withErrorHandler = process.argv[3] === 'told';
const uncaught = [];
const told = [];
let guilty = null;
process.on('uncaughtException', (error) => {
  uncaught.push(error.message);
});
const fail = (socket) => {
  guilty ??= socket;
  if (socket === guilty) throw new Error(`${which} failed`);
};
const handlers = { data: (socket, chunk) => void socket.write(chunk) };
const echo = handlers.data;
handlers[which] = which === 'data' ? (socket, chunk) => (fail(socket), echo(socket, chunk)) : fail;
if (withErrorHandler) {
  handlers.error = (_socket, error) => {
    told.push(error.message);
    if (which === 'error') throw new Error('error failed');
  };
}
const listener = await listen({ host: '127.0.0.1', ...handlers });
const first = await connect({ host: '127.0.0.1', port: listener.port });
await first.write('x');
if (which === 'close' || which === 'end') first.shutdown();
try {
  while ((await first.read()) !== null);
} catch {}
const second = await connect({ host: '127.0.0.1', port: listener.port });
await second.write('y');
const answer = String(await second.read());
await second.close();
await listener.close();
process.on('exit', () => console.log(JSON.stringify({ uncaught, told, answer })));
