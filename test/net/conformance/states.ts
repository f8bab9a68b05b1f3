// The states of a socket, and how a connection gets there.
import { type Ends, WRITE_LIMIT, waitUntil } from './ends.js';

/** More than both kernel buffers take, less than `writeLimit` afterwards. */
const QUEUED_BYTES = 256 * 1024;
/** More than is copied at once: the rest waits in the memory of the caller. */
const FULL_BYTES = 1024 * 1024 + 512 * 1024;

const until = (condition: () => boolean): Promise<void> => waitUntil(condition, () => 'the state is not reached');

async function queue({ us, peer }: Ends, bytes: number): Promise<void> {
  peer.socket.pause();
  us.wait('write', () => us.write(bytes));
  await until(() => us.written === bytes);
}

function read({ us }: Ends): void {
  if (us.face === 'stream') us.wait('read', () => us.socket.read());
}

export const states = {
  async open(ends) {
    read(ends);
  },
  async 'write-queued'(ends) {
    read(ends);
    await queue(ends, QUEUED_BYTES);
  },
  /** The peer does not read, and the limit is crossed: writing throws, and changes nothing. */
  async full(ends) {
    read(ends);
    await queue(ends, FULL_BYTES);
    await until(() => {
      try {
        ends.us.write(1);
        return false;
      } catch (error) {
        return (
          (error as { code: string }).code === 'ERR_MILLRACE_SOCKET_LIMIT' && ends.us.socket.bytesQueued > WRITE_LIMIT
        );
      }
    });
  },
  async 'half-closed by us'(ends) {
    read(ends);
    ends.us.socket.shutdown();
    await until(() => ends.peer.socket.peerEnded);
  },
  async 'half-closed by the peer'(ends) {
    ends.peer.socket.shutdown();
    await until(() => ends.us.socket.peerEnded);
    await queue(ends, QUEUED_BYTES);
  },
  async closing(ends) {
    read(ends);
    await queue(ends, QUEUED_BYTES);
    ends.us.wait('close', () => ends.us.socket.close());
    await until(() => !ends.us.socket.open);
  },
  async detaching(ends) {
    read(ends);
    await queue(ends, QUEUED_BYTES);
    ends.us.wait('detach', () => ends.us.socket.detach());
    await until(() => !ends.us.socket.open);
  },
} satisfies Record<string, (ends: Ends) => Promise<void>>;

export type State = keyof typeof states;
