// The first difference between what the codec and Node's own parser make of a stream.
import type { Buffer } from 'node:buffer';
import type { Difference } from './codec-differences.js';
import { decode, type Request } from './codec-events.js';
import { type NodeRequest, nodeDecode } from './node-parser.js';

function sameRequest(ours: Request, node: NodeRequest): boolean {
  const flags = ours.head.flags;
  return (
    ours.head.method === node.method &&
    ours.head.target === node.target &&
    flags.includes('http10') === (node.version === '1.0') &&
    flags.includes('keepAlive') === node.keepAlive &&
    (flags.includes('upgrade') || node.method === 'CONNECT') === node.upgrade &&
    ours.body === node.body &&
    JSON.stringify(ours.head.fields.map(({ name, value }) => [name, value])) === JSON.stringify(node.fields) &&
    JSON.stringify(ours.trailers?.map(({ name, value }) => [name, value])) ===
      JSON.stringify(node.trailers ?? undefined)
  );
}

/** The first thing that the two say differently of a stream; null: nothing. */
export function differenceOf(bytes: Buffer): Difference | null {
  const ours = decode([bytes]);
  const node = nodeDecode(bytes);
  const text = bytes.toString('latin1');
  for (let i = 0; ; i++) {
    const our = ours.requests[i] ?? null;
    const its = node.requests[i] ?? null;
    const here = { bytes: text, at: ours.errorAt ?? 0, ours: our, node: its };
    const last = i >= ours.requests.length - 1;
    const error = last && (our === null || our.trailers === null) ? (ours.error?.reason ?? null) : null;
    const nodeError = i >= node.requests.length - 1 && (its === null || its.trailers === null) ? node.error : null;
    if (error !== null && nodeError !== null) return null;
    if (error !== null || nodeError !== null) return { ...here, error, nodeError };
    if (our === null && its === null) return null;
    if (our === null || its === null || !sameRequest(our, its)) return { ...here, error: null, nodeError: null };
    // What follows is no longer HTTP, or not to be read: that is the server's business (RFC 9110 7.8, RFC 9112 9.6).
    if (its.upgrade || !its.keepAlive) return null;
  }
}
