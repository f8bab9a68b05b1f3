// millrace/sync: channels and locks between tasks. Every waiting operation can be awaited, `yield*`ed and cancelled.
export { channel, type Receiver, type Sender } from './channel.js';
export { CLOSED, type Closed, EMPTY, type Empty } from './closed.js';
export type { SendPermit } from './send-permit.js';
