// Size classes: four to each doubling, as jemalloc has them, so that at most a fifth of a buffer is unused.

export const CLASS_BYTES_MIN = 64;
/** The largest buffer that is pooled; larger ones are allocated and left to the collector. */
export const CLASS_BYTES_MAX = 1 << 20;

/** The sizes of all classes, ascending: 64, 80, 96, 112, 128, 160, ... 1 MiB. */
export const CLASS_BYTES: readonly number[] = makeClasses();

/** The index of the smallest class that holds `bytes`, which is at most CLASS_BYTES_MAX. */
export function classOf(bytes: number): number {
  if (bytes <= CLASS_BYTES_MIN) return 0;
  const last = bytes - 1;
  const doubling = 31 - Math.clz32(last);
  return (doubling - 6) * 4 + ((last >> (doubling - 2)) & 3) + 1;
}

function makeClasses(): number[] {
  const sizes: number[] = [];
  for (let size = CLASS_BYTES_MIN; size < CLASS_BYTES_MAX; size *= 2) {
    for (let quarter = 4; quarter < 8; quarter++) sizes.push((size / 4) * quarter);
  }
  sizes.push(CLASS_BYTES_MAX);
  return sizes;
}
