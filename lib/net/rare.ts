// What few sockets need, in one object that is made when the first of it is: an idle connection stays small.
import { closeSync } from 'node:fs';
import { Operation } from '../internal/operation.js';
import type { SocketAddress } from './address.js';
import type { SocketDuplex } from './duplex.js';
import type { DataHandler } from './handlers.js';
import type { Outbox } from './outbox.js';
import type { SocketTimeouts } from './timeouts.js';
import type { WebStreams } from './web.js';

export class Rare {
  /** Names that were asked for: they can be told when the socket is closed. */
  remote: SocketAddress | null = null;
  local: SocketAddress | null = null;
  timeouts: SocketTimeouts | null = null;
  /** While it is not empty. */
  outbox: Outbox | null = null;
  detached: Detached | null = null;
  /** The `data` handler that takes over when what is queued has been given to it. */
  successor: DataHandler | null = null;
  split = false;
  /** The stream face that has taken over. */
  duplex: SocketDuplex | null = null;
  web: WebStreams | null = null;
  /** The next drain is told when all has left. */
  flushes = false;
}

/** The descriptor is on its way. Whoever asked for it and does not take it any more leaves nothing behind. */
export class Detached extends Operation<number> {
  get kind(): string {
    return 'socket.detach';
  }

  /** @internal The descriptor has come, or there is none. */
  arrive(descriptor: number, error: Error): void {
    if (descriptor < 0) this.reject(error);
    else if (this.state === 0) this.fulfill(descriptor);
    else this.giveBack(descriptor);
  }

  protected onCancel(): void {}

  protected override giveBack(descriptor: number): void {
    try {
      closeSync(descriptor);
    } catch {
      // Closed by somebody else by now: it is gone, which is what was wanted.
    }
  }
}
