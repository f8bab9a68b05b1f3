// IP addresses as text and as the words that the border has: the bytes in network order, whatever the machine's own is.
import { isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

const words = new Uint32Array(4);
const bytes = new Uint8Array(words.buffer);

/** The four words of the address that was parsed last; of an IPv4 address only the first counts. */
export const parsed: Uint32Array = words;
/** The interface of the address that was parsed last: the zone of `fe80::1%eth0`. */
export let parsedScope = 0;

/** Parses into `parsed`: 4, 6, or 0 for what is no address. `::ffff:127.0.0.1` is an IPv4 address. */
export function parseIp(text: string): 0 | 4 | 6 {
  parsedScope = 0;
  if (isIPv4(text)) {
    parseIpv4(text, 0);
    return 4;
  }
  if (!isIPv6(text)) return 0;
  const [address, zone] = text.split('%') as [string, string | undefined];
  const [left, right] = address.split('::') as [string, string | undefined];
  bytes.fill(0);
  const before = groupsOf(left);
  const after = right === undefined ? [] : groupsOf(right);
  for (const [i, group] of before.entries()) writeGroup(i, group);
  for (const [i, group] of after.entries()) writeGroup(8 - after.length + i, group);
  if (
    words[0] === 0 &&
    words[1] === 0 &&
    bytes[8] === 0 &&
    bytes[9] === 0 &&
    bytes[10] === 0xff &&
    bytes[11] === 0xff
  ) {
    words[0] = words[3] as number;
    return 4;
  }
  if (zone !== undefined) parsedScope = scopeOf(zone);
  return 6;
}

export function formatIpv4(word: number): string {
  words[0] = word;
  return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
}

/** As RFC 5952 wants it: the longest run of zeros is left out, letters are small. */
export function formatIpv6(a: number, b: number, c: number, d: number, scope: number): string {
  words[0] = a;
  words[1] = b;
  words[2] = c;
  words[3] = d;
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number));
  let from = 0;
  let longest = 0;
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > longest) [from, longest] = [start, end - start];
  }
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  const text = longest < 2 ? hex(groups) : `${hex(groups.slice(0, from))}::${hex(groups.slice(from + longest))}`;
  return scope === 0 ? text : `${text}%${zoneOf(scope)}`;
}

/** The name of an interface that is given by its name or by one of its addresses; undefined when there is none. */
export function interfaceName(nameOrAddress: string): string | undefined {
  const all = networkInterfaces();
  if (parseIp(nameOrAddress) === 0) return nameOrAddress;
  for (const name in all) if (all[name]?.some(({ address }) => address === nameOrAddress)) return name;
  return undefined;
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  const parts = text.split(':');
  const last = parts.at(-1) as string;
  if (!last.includes('.')) return parts.map((part) => Number.parseInt(part, 16));
  const [a, b, c, d] = last.split('.').map(Number) as [number, number, number, number];
  return [...parts.slice(0, -1).map((part) => Number.parseInt(part, 16)), (a << 8) | b, (c << 8) | d];
}

function writeGroup(at: number, group: number): void {
  bytes[2 * at] = group >> 8;
  bytes[2 * at + 1] = group & 0xff;
}

function parseIpv4(text: string, at: number): void {
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46) {
      bytes[at++] = value;
      value = 0;
    } else {
      value = value * 10 + code - 48;
    }
  }
  bytes[at] = value;
}

/** The number of an interface that has an IPv6 address, by its name or as it is. */
function scopeOf(zone: string): number {
  const named = networkInterfaces()[zone]?.find(({ family }) => family === 'IPv6') as { scopeid?: number } | undefined;
  return named?.scopeid ?? (/^\d{1,9}$/.test(zone) ? Number(zone) : 0);
}

function zoneOf(scope: number): string {
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (addresses?.some((address) => address.family === 'IPv6' && address.scopeid === scope)) return name;
  }
  return String(scope);
}
