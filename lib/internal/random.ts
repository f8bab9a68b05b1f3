// Where chance comes from, in the few places that want some. Under a seeded schedule it has to come from the seed.

/** A number from 0 to less than 1. */
export type Random = () => number;

let source: Random = Math.random;

export function random(): number {
  return source();
}

/** Takes chance from `replacement` from now on; undefined: from Math.random again. */
export function setRandom(replacement: Random | undefined): void {
  source = replacement ?? Math.random;
}
