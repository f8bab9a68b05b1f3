// What tells one state of a representation from another (RFC 9110, 8.8): entity tags and times.

/** What `fs` tells of a file that its validators are made of. */
export interface FileStat {
  /** In bytes. */
  readonly size: number;
  /** Of the last change, in nanoseconds since 1970. */
  readonly mtimeNs: bigint;
}

/** An entity tag as it stands in a field. */
export interface EntityTag {
  readonly weak: boolean;
  /** With its quotes. */
  readonly opaque: string;
}

const TAG = /^(W\/)?("[\x21\x23-\x7e\x80-\xff]*")$/;

/** Kernels keep times to a few milliseconds only: what changes twice within that may keep its time, and its size. */
const SETTLED_NS = 2_000_000_000n;

/**
 * The entity tag of a file: its size and the nanosecond of its last change. It is strong if the file was left alone for the
 * last two seconds. Before that it is weak, since the file might change again and keep its time: such a tag serves
 * If-None-Match, but no range may be resumed by it.
 *
 * @param nowMs milliseconds since 1970, when the file was looked at.
 */
export function entityTagOf({ size, mtimeNs }: FileStat, nowMs: number): string {
  const tag = `"${size.toString(36)}-${mtimeNs.toString(36)}"`;
  const ageNs = BigInt(Math.floor(nowMs)) * 1_000_000n - mtimeNs;
  return ageNs >= SETTLED_NS ? tag : `W/${tag}`;
}

/** Milliseconds since 1970, of whole seconds, as Last-Modified has them; never after `nowMs` (RFC 9110, 8.8.2.1). */
export function lastModifiedOf({ mtimeNs }: FileStat, nowMs: number): number {
  const seconds = Number(mtimeNs / 1_000_000_000n) * 1000;
  return Math.min(seconds, Math.floor(nowMs / 1000) * 1000);
}

/** @returns null for what is no entity tag. */
export function parseEntityTag(text: string): EntityTag | null {
  const found = TAG.exec(text);
  return found === null ? null : { weak: found[1] !== undefined, opaque: found[2] as string };
}

/** Both are strong and the same (RFC 9110, 8.8.3.2). */
export function strongMatch(one: EntityTag, other: EntityTag): boolean {
  return !one.weak && !other.weak && one.opaque === other.opaque;
}

/** The same but for weakness. */
export function weakMatch(one: EntityTag, other: EntityTag): boolean {
  return one.opaque === other.opaque;
}

/** The tag made weak: of a representation that means the same and has other bytes. */
export function weakened(tag: string): string {
  return tag.startsWith('W/') ? tag : `W/${tag}`;
}
