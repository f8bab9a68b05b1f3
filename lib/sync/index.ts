// millrace/sync: channels and locks between tasks. Every waiting operation can be awaited, `yield*`ed and cancelled.
export { Barrier, type BarrierResult } from './barrier.js';
export { type BroadcastReceiver, type BroadcastSender, broadcast, LaggedError } from './broadcast.js';
export { channel, type Receiver, type Sender } from './channel.js';
export { CLOSED, type Closed, EMPTY, type Empty } from './closed.js';
export { Mutex, type MutexGuard } from './mutex.js';
export { Notify } from './notify.js';
export { OnceCell } from './once-cell.js';
export { type OneshotReceiver, type OneshotSender, oneshot } from './oneshot.js';
export { type ReadGuard, RwLock, type WriteGuard } from './rw-lock.js';
export { Semaphore, type SemaphorePermit } from './semaphore.js';
export type { SendPermit } from './send-permit.js';
export { type WatchReceiver, type WatchSender, watch } from './watch.js';
