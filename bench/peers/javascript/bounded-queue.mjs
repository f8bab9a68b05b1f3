/**
 * What stands in for a channel in Node and Bun, which have none: a ring of values for one producer and one consumer.
 * The try-calls spare a promise when there is room or a value, as a careful author of such a queue would.
 */
export function boundedQueue(capacity) {
  const ring = new Array(capacity).fill(undefined);
  let head = 0;
  let length = 0;
  let closed = false;
  let wakeConsumer = null;
  let wakeProducer = null;

  const put = (value) => {
    let tail = head + length;
    if (tail >= capacity) tail -= capacity;
    ring[tail] = value;
    length++;
    if (wakeConsumer !== null) {
      const wake = wakeConsumer;
      wakeConsumer = null;
      wake();
    }
  };
  const take = () => {
    const value = ring[head];
    ring[head] = undefined;
    if (++head === capacity) head = 0;
    length--;
    if (wakeProducer !== null) {
      const wake = wakeProducer;
      wakeProducer = null;
      wake();
    }
    return value;
  };

  return {
    tryPush(value) {
      if (length === capacity) return false;
      put(value);
      return true;
    },
    async push(value) {
      while (length === capacity) {
        await new Promise((resolve) => {
          wakeProducer = resolve;
        });
      }
      put(value);
    },
    /** A value, or undefined when there is none now. */
    tryShift() {
      return length === 0 ? undefined : take();
    },
    /** A value, or undefined once the queue is closed and empty. */
    async shift() {
      while (length === 0) {
        if (closed) return undefined;
        await new Promise((resolve) => {
          wakeConsumer = resolve;
        });
      }
      return take();
    },
    close() {
      closed = true;
      wakeConsumer?.();
    },
  };
}
