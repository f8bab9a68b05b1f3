// The platform's own Request reads a body whole, however large it is. Those that stand for requests of ours have the server's
// limit for that, as the light ones do; `body` has none.
import { bodyTooLarge } from '../http-errors.js';
import { natives } from './natives.js';

const READS = ['arrayBuffer', 'blob', 'bytes', 'formData', 'json', 'text'] as const;

/** Has `text`, `json` and the like of `request`, and of its clones, fail with 413 above `limitBytes`. */
export function limitReads(request: Request, limitBytes: number): Request {
  const clone = request.clone;
  for (const name of READS) {
    const value = async (): Promise<unknown> => {
      const { body, headers, bodyUsed } = request;
      if (bodyUsed) throw new TypeError('Body is unusable: Body has already been read');
      const limited = body === null ? null : body.pipeThrough(limiter(limitBytes));
      const response = new (natives().Response)(limited, { headers });
      if (name === 'bytes') return new Uint8Array(await response.arrayBuffer());
      return response[name]();
    };
    Object.defineProperty(request, name, { configurable: true, writable: true, value });
  }
  Object.defineProperty(request, 'clone', {
    configurable: true,
    writable: true,
    value: () => limitReads(clone.call(request), limitBytes),
  });
  return request;
}

function limiter(limitBytes: number): TransformStream<Uint8Array, Uint8Array> {
  let length = 0;
  return new TransformStream({
    transform(bytes, controller) {
      length += bytes.length;
      if (length > limitBytes) throw bodyTooLarge('The body', limitBytes);
      controller.enqueue(bytes);
    },
  });
}
