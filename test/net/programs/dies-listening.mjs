// Listens on a Unix socket and dies without any clean-up: the file stays.
import { createServer } from 'node:net';

createServer().listen(process.argv[2], () => process.kill(process.pid, 'SIGKILL'));
