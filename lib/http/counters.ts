// What a server counts. Plain numbers, so that counting costs next to nothing.
import { HTTP_REASON_NAMES } from '../internal/http-layout.js';
import { Histogram, ReplyCounts } from './metrics/index.js';
import { reasonName } from './reasons.js';

/** What ran out. */
export type TimeLimit = 'head' | 'body' | 'request' | 'write';

export class Counters {
  connections = 0;
  requests = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Refused with 503: too much to do. */
  shed = 0;
  handlerErrors = 0;
  /** Answered in C++, without a handler. */
  staticReplies = 0;
  /** Peers that had gone before their reply was complete. */
  gone = 0;
  readonly replies = new ReplyCounts();
  /** Milliseconds from the chunk that brought the head to the end of the reply. */
  readonly durations = new Histogram();
  /** Milliseconds that requests have waited for a handler. */
  readonly waits = new Histogram();
  /** Replies to the chunk that is being handled: they are as old as that is. */
  unmeasured = 0;
  readonly #byReason = new Float64Array(HTTP_REASON_NAMES.length);
  readonly #timeouts: Record<TimeLimit, number> = { head: 0, body: 0, request: 0, write: 0 };

  /** @param method its number. @param status 0: the peer had gone. @param durationMs -1: that of the chunk, which is told when it is through. */
  replied(method: number, status: number, durationMs: number): void {
    this.replies.addNumber(method, status);
    if (status === 0) this.gone++;
    else if (durationMs < 0) this.unmeasured++;
    else this.durations.record(durationMs);
  }

  measured(durationMs: number): void {
    this.durations.record(durationMs, this.unmeasured);
    this.unmeasured = 0;
  }

  waited(durationMs: number): void {
    this.waits.record(durationMs);
  }

  /** @param kind the method's number in the low 8 bits, the first digit of the status above. */
  answeredStatically(replies: number, kind: number): void {
    this.requests += replies;
    this.staticReplies += replies;
    this.unmeasured += replies;
    this.replies.addNumber(kind & 0xff, (kind >>> 8) * 100, replies);
  }

  refused(reason: number): void {
    this.#byReason[reason] = (this.#byReason[reason] as number) + 1;
  }

  timedOut(what: TimeLimit): void {
    this.#timeouts[what]++;
  }

  /** What was refused without a handler, by reason. */
  rejections(): Record<string, number> {
    const all: Record<string, number> = {};
    for (const [reason, count] of this.#byReason.entries()) if (count > 0) all[reasonName(reason)] = count;
    for (const [what, count] of Object.entries(this.#timeouts)) if (count > 0) all[`${what}-timeout`] = count;
    if (this.shed > 0) all.overload = this.shed;
    return all;
  }
}
