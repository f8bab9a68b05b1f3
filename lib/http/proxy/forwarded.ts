// What proxies say of those they speak for: X-Forwarded-For and its kin, or Forwarded (RFC 7239).
import { formatIpv4, formatIpv6, parsed, parsedScope, parseIp } from '../../internal/ip.js';
import { parseParameters, type RequestFields, trimSpace } from '../fields/index.js';

/** What one proxy has added. */
export interface Hop {
  /** Who connected to it; null: it does not say, or what it says is no address. */
  readonly address: string | null;
  /** `http` or `https`; null: it does not say. */
  readonly protocol: 'http' | 'https' | null;
  /** The Host that it was asked for; null: it does not say. */
  readonly host: string | null;
}

/** A name or an address, perhaps with a port; nothing that could change what an URL means. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/** Hops further away than this are not looked at: no chain of proxies is so long, a stranger's field may be. */
const HOPS_MAX = 64;

/** By X-Forwarded-For, -Proto and -Host, the nearest proxy's first. */
export function xForwardedHops(fields: RequestFields): Hop[] {
  const addresses = lastMembers(fields.get('x-forwarded-for'), false);
  const protocols = lastMembers(fields.get('x-forwarded-proto'), false);
  const hosts = lastMembers(fields.get('x-forwarded-host'), false);
  const count = Math.max(addresses.length, protocols.length, hosts.length);
  return Array.from({ length: count }, (_, hop) => ({
    address: addressOf(addresses[hop]),
    protocol: protocolOf(atHop(protocols, hop, addresses.length)),
    host: hostOf(atHop(hosts, hop, addresses.length)),
  }));
}

/** By Forwarded, the nearest proxy's first. What is malformed ends the chain: what lies behind cannot be believed. */
export function forwardedHops(fields: RequestFields): Hop[] {
  const hops: Hop[] = [];
  for (const member of lastMembers(fields.get('forwarded'), true)) {
    const parameters = parseParameters(`;${member}`, 0);
    if (parameters === null) break;
    hops.push({
      address: addressOf(parameters.for),
      protocol: protocolOf(parameters.proto),
      host: hostOf(parameters.host),
    });
  }
  return hops;
}

/**
 * The members, the last one first. Looked for from the right: a quote that a stranger has left open must not swallow what the
 * proxies have appended to it. X-Forwarded-For and its kin know no quotes.
 */
function lastMembers(value: string | null | undefined, quotes: boolean): string[] {
  const members: string[] = [];
  if (value === null || value === undefined) return members;
  let end = value.length;
  let quoted = false;
  for (let at = value.length - 1; at >= -1 && members.length < HOPS_MAX; at--) {
    const character = at < 0 ? ',' : value[at];
    if (quotes && character === '"' && value[at - 1] !== '\\') quoted = !quoted;
    if (character !== ',' || (quoted && at >= 0)) continue;
    const member = trimSpace(value.slice(at + 1, end));
    if (member !== '') members.push(member);
    end = at;
  }
  return members;
}

/**
 * Most proxies append to X-Forwarded-For, but set -Proto and -Host anew: then there is one value, which is what the outermost of
 * them saw, as far as anybody can tell. Where each has appended, each speaks for its hop.
 */
function atHop(values: readonly string[], hop: number, addresses: number): string | undefined {
  return values.length === 1 && addresses > 1 ? values[0] : values[hop];
}

/**
 * The address in `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`; in one form for each address. Null for names,
 * `unknown` and `_hidden`.
 */
export function addressOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  let address = text;
  if (text.startsWith('[')) address = /^\[([^\]]*)\](?::[\w.-]+)?$/.exec(text)?.[1] ?? '';
  else if (/^[\d.]+:[\w.-]+$/.test(text)) address = text.slice(0, text.indexOf(':'));
  switch (parseIp(address)) {
    case 4:
      return formatIpv4(parsed[0] as number);
    case 6:
      return formatIpv6(...(Array.from(parsed) as [number, number, number, number]), parsedScope);
    default:
      return null;
  }
}

function protocolOf(text: string | undefined): 'http' | 'https' | null {
  const protocol = text?.toLowerCase();
  return protocol === 'http' || protocol === 'https' ? protocol : null;
}

function hostOf(text: string | undefined): string | null {
  return text !== undefined && HOST.test(text) ? text : null;
}
