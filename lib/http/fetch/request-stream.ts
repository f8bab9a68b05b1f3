// The body of a request as a ReadableStream of bytes: received as it is read, and given up when it is cancelled.
import type { RequestBody } from '../request-body.js';

export function bodyStream(body: RequestBody): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: 'bytes',
    async pull(controller: ReadableByteStreamController) {
      const bytes = await body.read();
      if (bytes === null) {
        controller.close();
        // Who waits with memory of his own has to be told.
        controller.byobRequest?.respond(0);
      } else {
        // Not what it is a part of: enqueuing takes the memory away.
        controller.enqueue(new Uint8Array(bytes));
      }
    },
    cancel() {
      body.discard();
    },
  });
}
