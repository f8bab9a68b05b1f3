// Bodies of forms for the tests, and ways to cut them.

import type { FormLimits } from '../../../lib/http/forms/index.js';
import { Multipart } from '../../../lib/http/forms/index.js';

export const TYPE = 'multipart/form-data; boundary=XX';

/** The lines of a body, with CR LF between them. */
export const lines = (...all: string[]): string => all.join('\r\n');

/** A part's lines. */
export const field = (name: string, value: string, ...more: string[]): string[] => [
  '--XX',
  `Content-Disposition: form-data; name="${name}"`,
  ...more,
  '',
  value,
];

/** In pieces that end at `cuts`; each is overwritten once the next is asked for, as memory on loan is. */
export async function* inPieces(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Buffer, void, undefined> {
  const edges = [...new Set([...cuts.filter((cut) => cut > 0 && cut < bytes.length), bytes.length])].sort(
    (a, b) => a - b,
  );
  let from = 0;
  for (const to of edges) {
    if (to === from) continue;
    const piece = Buffer.from(bytes.subarray(from, to));
    yield piece;
    piece.fill(0x21);
    from = to;
  }
}

export const whole = (text: string): AsyncGenerator<Buffer, void, undefined> => inPieces(Buffer.from(text), []);

/** All parts: name, filename, type and data; or what it fails with: status and message. */
export async function partsOf(
  body: AsyncIterable<Uint8Array>,
  limits: FormLimits = {},
  type = TYPE,
): Promise<(string | undefined)[][] | string> {
  const parts: (string | undefined)[][] = [];
  try {
    for await (const part of new Multipart(body, type, limits)) {
      parts.push([part.name, part.filename, part.type, (await part.bytes()).toString('latin1')]);
    }
    return parts;
  } catch (error) {
    const { status, message } = error as { status?: number; message: string };
    if (status === undefined) throw error;
    return `${status} ${message}`;
  }
}
