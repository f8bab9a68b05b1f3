/**
 * What stands in for a channel in Node and Bun, which have none: a ring of values for one producer and one consumer.
 * `push` and `shift` make a promise only when they have to wait.
 */
export function boundedQueue(capacity) {
  const ring = new Array(capacity).fill(undefined);
  let head = 0;
  let length = 0;
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
  const waitForRoom = async (value) => {
    await new Promise((resolve) => {
      wakeProducer = resolve;
    });
    put(value);
  };
  const waitForValue = async () => {
    await new Promise((resolve) => {
      wakeConsumer = resolve;
    });
    return take();
  };

  return {
    /** Await it: undefined when there was room, else a promise. */
    push(value) {
      if (length === capacity) return waitForRoom(value);
      put(value);
      return undefined;
    },
    /** Await it: a value, or a promise of one. */
    shift() {
      return length === 0 ? waitForValue() : take();
    },
  };
}
