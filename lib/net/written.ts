// What `write` gives: an operation that was done when it was asked for, or that waits until the socket has drained.
import { Done, hideSubclass } from '../internal/done.js';
import { type Operation, Ready, SharedOperation } from '../internal/operation.js';
import { scheduler } from '../internal/scheduler.js';

/** What `write` returns. Done at once when few bytes wait (`queued` is false), else when the socket has drained. */
export interface WriteResult extends Operation<void> {
  /** True: more than `highWaterMark` bytes wait to be sent. Wait for this operation, or for `drain`, before you go on. */
  readonly queued: boolean;
}

class DoneWrite extends Done {
  get queued(): boolean {
    return false;
  }
}
hideSubclass(DoneWrite);

class ReadyWrite extends Ready<void> {
  get queued(): boolean {
    return false;
  }
}

const DONE_WRITE = new DoneWrite((resolve) => resolve()) as unknown as WriteResult;
const READY_WRITE: WriteResult = new ReadyWrite(undefined);

/** What a write that need not wait gives. Where a task is cancelled, it may be this one, and has to be told. */
export function written(): WriteResult {
  return scheduler.cancelled === 0 ? DONE_WRITE : READY_WRITE;
}

/** Waits until at most `lowWaterMark` bytes wait. Its error is the socket's, which is told elsewhere. */
export class Drained extends SharedOperation<void> implements WriteResult {
  get queued(): boolean {
    return true;
  }
  get kind(): string {
    return 'socket.write';
  }
  protected onCancel(): void {}
  protected override unobserved(): void {}
}
