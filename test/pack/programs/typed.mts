// Compiled, not run: every public entry has its types.

import { type JoinHandle, runtimeInfo, sleep, spawn } from 'millrace';
import { BufferPool } from 'millrace/buffer';
import { connect, type Socket } from 'millrace/net';
import { httpAgent, pgStream } from 'millrace/node';
import { channel } from 'millrace/sync';
import { Scope } from 'millrace/task';
import { withVirtualTime } from 'millrace/test';
import { interval } from 'millrace/time';

const handle: JoinHandle<number> = spawn(function* () {
  yield* sleep(1);
  return 1;
});
const backend: string = runtimeInfo().backend;
const socket: Socket = await connect({ host: '127.0.0.1', port: 1 });
const [sender] = channel<number>(1);
await sender.send(await handle);
// @ts-expect-error a channel of numbers takes no text
await sender.send(backend);

const stream = pgStream()();
const agent: import('node:http').Agent = httpAgent();

export { agent, BufferPool, interval, Scope, socket, stream, withVirtualTime };
