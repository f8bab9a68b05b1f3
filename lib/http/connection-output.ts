// What leaves, and whether there is room for it: text is gathered while the connection is corked, and a socket that has too
// much to send holds up what asks for more.
import { MillraceError } from '../internal/errors.js';
import { scheduler } from '../internal/scheduler.js';
import { WRITE_LIMIT } from '../net/options.js';
import { type WriteResult, written } from '../net/written.js';
import { ConnectionState, HOLD_OUTPUT, SERVING } from './connection-state.js';
import { batch } from './reply-batch.js';

/** Text of replies that is gathered before it is written. */
export const TEXT_LENGTH_MAX = 48 * 1024;

export abstract class ConnectionOutput extends ConnectionState {
  /** Sends, behind what was said before. Text is a byte a code unit. */
  emit(data: string | Uint8Array): WriteResult {
    if (this.state !== SERVING || !this.socket.writable) return written();
    if (typeof data === 'string') {
      this.gather(data);
      if (this.corked && this.text.length <= TEXT_LENGTH_MAX) return written();
      return this.flush();
    }
    this.flush();
    if (data.length === 0 || !this.socket.writable) return written();
    return this.sent(this.socket.write(data), data.length);
  }

  /**
   * @param heldBytes what the reply itself holds back until its turn.
   * @throws MillraceError `ERR_MILLRACE_SOCKET_LIMIT` when a handler does not heed that its peer is slow.
   */
  checkRoom(heldBytes: number): void {
    const queued = this.socket.bytesQueued + heldBytes;
    if (queued <= WRITE_LIMIT) return;
    throw new MillraceError(
      'ERR_MILLRACE_SOCKET_LIMIT',
      `${queued} bytes of replies wait for a slow peer; await write()`,
    );
  }

  /** The socket has room again. */
  drained(): void {
    this.release(HOLD_OUTPUT);
  }

  /** Behind all that was gathered before. */
  protected gather(text: string): void {
    if (batch.owner === this) this.text += batch.take();
    this.text = this.text === '' ? text : this.text + text;
  }

  /** What was gathered is not said. */
  protected forget(): void {
    if (batch.owner === this) batch.clear();
    this.text = '';
  }

  protected flush(): WriteResult {
    if (batch.owner === this) this.gather('');
    const { text } = this;
    if (text === '') return written();
    this.text = '';
    return this.socket.writable ? this.sent(this.socket.writeLatin1(text), text.length) : written();
  }

  protected sent(result: WriteResult, length: number): WriteResult {
    this.server.counters.bytesOut += length;
    if (result.queued) this.hold(HOLD_OUTPUT);
    return result;
  }

  protected hold(why: number): void {
    this.holds |= why;
    this.regulate();
  }

  protected release(why: number): void {
    if ((this.holds & why) === 0) return;
    this.holds &= ~why;
    if (this.holds !== 0) return;
    // While we held it back, time was not the peer's.
    const { nowMs } = this.server;
    this.paceBytes = 0;
    this.paceMs = nowMs;
    if (this.headBegun) this.sinceMs = nowMs;
    this.enqueue();
  }

  protected enqueue(): void {
    if (this.queued) return;
    this.queued = true;
    scheduler.enqueue(this);
  }

  /** The socket is read from while there is use for what comes. */
  protected regulate(): void {
    const pause = this.state === SERVING && (this.holds !== 0 || this.backlog !== null);
    if (pause === this.paused || !this.socket.open) return;
    this.paused = pause;
    if (pause) this.socket.pause();
    else this.socket.resume();
  }
}
