// Whether a reply is sent compressed, and what its fields say then.
import { weakened } from '../conditional/index.js';
import { type Fields, listMembers, mediaEssence, type RequestFields } from '../fields/index.js';
import { type Coding, preferredCoding } from '../negotiation.js';
import { hasNoBody } from '../status.js';
import type { CompressionOptions } from './options.js';

/** What a decision is made of. */
export interface Compressible {
  readonly status: number;
  readonly request: RequestFields;
  readonly fields: Fields;
  /** Bytes of the body; null: not known, it is a stream. */
  readonly length: number | null;
}

/**
 * Decides whether to compress a reply. Sets `Vary` if the reply depends on Accept-Encoding; where it is to be compressed, also
 * `Content-Encoding`, makes its ETag weak (the bytes are others, what they mean is not), and takes `Content-Length` and
 * `Accept-Ranges` away.
 *
 * Never compressed: what has no body, a range (206), what has a Content-Encoding, `Cache-Control: no-transform` (RFC 9111, 5.2.2.6),
 * types that do not become smaller, and bodies that are shorter than `minBytes`.
 *
 * @param reply its `fields` are changed.
 * @returns the coding, or null: send it as it is.
 */
export function decideCompression(reply: Compressible, options: Required<CompressionOptions>): Coding | null {
  const { status, request, fields, length } = reply;
  if (hasNoBody(status) || status === 206 || fields.has('content-encoding') || fields.has('content-range')) return null;
  if (length !== null && length < options.minBytes) return null;
  if (!options.compressible(mediaEssence(fields.get('content-type'))) || isNoTransform(fields)) return null;
  addVary(fields, 'Accept-Encoding');
  const coding = preferredCoding(request.get('accept-encoding'), options.codings);
  // Where nothing is acceptable, the reply as it is says more than a 406.
  if (coding === null || coding === 'identity') return null;
  fields.set('Content-Encoding', coding);
  fields.delete('content-length');
  fields.delete('accept-ranges');
  const etag = fields.get('etag');
  if (etag !== null) fields.set('ETag', weakened(etag));
  return coding;
}

/** Adds a name to Vary, unless it is there, or `*` is. */
export function addVary(fields: Fields, name: string): void {
  const members = listMembers(fields.get('vary') ?? '');
  const lower = name.toLowerCase();
  if (!members.some((member) => member === '*' || member.toLowerCase() === lower)) fields.append('Vary', name);
}

function isNoTransform(fields: Fields): boolean {
  const control = fields.get('cache-control');
  return control !== null && listMembers(control).some((member) => member.toLowerCase() === 'no-transform');
}
