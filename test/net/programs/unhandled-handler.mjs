// Nobody handles what a handler throws: the process must end with it.
import { connect, listen } from '../../../build/test/lib/net/index.js';

const listener = await listen({
  host: '127.0.0.1',
  data() {
    throw new Error('nobody catches this');
  },
});
const socket = await connect({ host: '127.0.0.1', port: listener.port });
await socket.write('x');
