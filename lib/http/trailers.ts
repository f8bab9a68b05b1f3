import type { Buffer } from 'node:buffer';
import {
  HTTP_END_FIELDS,
  HTTP_END_KIND,
  HTTP_END_OFFSET,
  HTTP_END_WORDS,
  HTTP_FIELD_NAME,
  HTTP_FIELD_VALUE,
  HTTP_FIELD_WORDS,
  HTTP_IN_SCRATCH,
} from '../internal/http-layout.js';
import type { Codec } from './codec.js';
import { Fields } from './fields/index.js';

/** The trailer fields that an End event at `at` tells of; null without any. */
export function trailersAt(codec: Codec, input: Buffer, at: number): Fields | null {
  const { table } = codec;
  const count = table[at + HTTP_END_FIELDS] as number;
  if (count === 0) return null;
  const memory = ((table[at + HTTP_END_KIND] as number) & HTTP_IN_SCRATCH) === 0 ? input : codec.scratch;
  const offset = table[at + HTTP_END_OFFSET] as number;
  const text = (place: number): string => {
    const start = offset + (place & 0xffff);
    return memory.toString('latin1', start, start + (place >>> 16));
  };
  const fields = new Fields();
  for (let i = 0; i < count; i++) {
    const field = at + HTTP_END_WORDS + i * HTTP_FIELD_WORDS;
    fields.append(text(table[field + HTTP_FIELD_NAME] as number), text(table[field + HTTP_FIELD_VALUE] as number));
  }
  return fields;
}
