// No descriptor is left when a socket or a listener is to be opened.
import { closeSync, openSync } from 'node:fs';
import { connect, listen } from '../../../build/test/lib/net/index.js';

const listener = await listen({ host: '127.0.0.1', data: (socket, chunk) => void socket.write(chunk) });
const tell = (error) => `${error.code} ${error.syscall}`;
const files = [];
try {
  for (;;) files.push(openSync('/dev/null'));
} catch {}
const refused = {
  connect: await connect({ host: '127.0.0.1', port: listener.port }).then(() => 'connected', tell),
  listen: await listen({ host: '127.0.0.1' }).then(() => 'listens', tell),
};
for (const file of files) closeSync(file);
const socket = await connect({ host: '127.0.0.1', port: listener.port });
socket.write('works');
const afterwards = String(await socket.read());
await socket.close();
await listener.close();
console.log(JSON.stringify({ ...refused, afterwards }));
