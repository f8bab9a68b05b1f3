// What a server counts. Plain numbers, so that counting costs next to nothing.
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
  /** Replies by the first digit of their status. */
  readonly byClass = new Float64Array(6);
  /** Refused by the codec, by its reason. */
  readonly byReason = new Float64Array(64);
  readonly timeouts = { head: 0, body: 0, request: 0, write: 0 };
  /** Replies to the chunk that is being handled: they are as old as that is. */
  unmeasured = 0;

  /** @param durationMs -1: that of the chunk, which is told when it is through. */
  replied(status: number, durationMs: number): void {
    const digit = (status / 100) | 0;
    this.byClass[digit] = (this.byClass[digit] as number) + 1;
    if (durationMs < 0) this.unmeasured++;
  }

  measured(_durationMs: number): void {
    this.unmeasured = 0;
  }

  waited(_durationMs: number): void {}

  answeredStatically(replies: number): void {
    this.requests += replies;
    this.staticReplies += replies;
    this.unmeasured += replies;
    this.byClass[2] = (this.byClass[2] as number) + replies;
  }

  refused(reason: number): void {
    this.byReason[reason] = (this.byReason[reason] as number) + 1;
  }

  timedOut(what: keyof Counters['timeouts']): void {
    this.timeouts[what]++;
  }
}
