// Echo traffic on many sockets, large writes under way; then the process is ended from `argv[2]`.
import { sleep, spawn } from '../../../build/test/lib/index.js';
import { connect, listen } from '../../../build/test/lib/net/index.js';

const where = process.argv[2];
let echoes = 0;
const end = () => {
  console.log('busy');
  if (where === 'uncaught') throw new Error('amid I/O');
  process.exit(7);
};
const listener = await listen({
  host: '127.0.0.1',
  data(socket, chunk) {
    socket.write(chunk);
    if (++echoes === 300 && (where === 'handler' || where === 'uncaught')) end();
  },
});
for (let i = 0; i < 30; i++) {
  void connect({ host: '127.0.0.1', port: listener.port, data: (socket, chunk) => void socket.write(chunk) }).then(
    (socket) => {
      socket.write(Buffer.alloc(100_000));
    },
  );
}
if (where === 'task') {
  void spawn(function* () {
    while (echoes < 300) yield* sleep(0);
    end();
  });
}
if (where === 'timer') {
  const wait = setInterval(() => echoes >= 300 && end(), 1);
  wait.ref();
}
