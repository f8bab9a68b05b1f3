// The order in which the addresses of a host are tried: RFC 8305, section 4.
import type { LookupAddress } from './dns-cache.js';

/** RFC 8305, section 8: the Connection Attempt Delay and the least that it may be. */
export const ATTEMPT_DELAY_MS = 250;
export const ATTEMPT_DELAY_MS_MIN = 10;

/**
 * The resolver's order, of which the family of the first address comes first and then every second (First Address Family
 * Count 1), as long as both have some left. An address that was given twice is tried once.
 */
export function interleaved(addresses: readonly LookupAddress[]): string[] {
  if (addresses.length === 1) return [(addresses[0] as LookupAddress).address];
  const family = addresses[0]?.family;
  const first = new Set<string>();
  const second = new Set<string>();
  for (const address of addresses) (address.family === family ? first : second).add(address.address);
  const others = [...second];
  const order: string[] = [];
  for (const address of first) {
    order.push(address);
    const other = others.shift();
    if (other !== undefined) order.push(other);
  }
  return order.concat(others);
}
