// The URL of a request, serialized as the URL standard has it. Most are so already: then nothing is parsed.
import { HttpError } from '../http-errors.js';

/** What stands in a path or query as it is. Not here: what is encoded, a quote, a backslash, a fragment. */
const PLAIN = /^[\w\-~!$&()*+,;=:@/%?.]*$/;
/** `.` and `..` are taken out of a path, also encoded. */
const DOTS = /\/(?:\.|%2e)/i;

const ORIGINS_MAX = 256;
/** By Host, for each protocol. */
const origins = { http: new Map<string, string>(), https: new Map<string, string>() };

/** @throws HttpError 400 for what makes no URL. */
export function urlOf(protocol: 'http' | 'https', host: string, target: string): string {
  if (!target.startsWith('/')) return target === '*' ? `${originOf(protocol, host)}/` : parsed(target);
  const origin = originOf(protocol, host);
  return PLAIN.test(target) && !DOTS.test(target) ? origin + target : parsed(origin + target);
}

function originOf(protocol: 'http' | 'https', host: string): string {
  const known = origins[protocol];
  const origin = known.get(host);
  if (origin !== undefined) return origin;
  const made = parsed(`${protocol}://${host === '' ? 'localhost' : host}`).slice(0, -1);
  // Clients may invent hosts.
  if (known.size >= ORIGINS_MAX) known.clear();
  known.set(host, made);
  return made;
}

function parsed(text: string): string {
  try {
    return new URL(text).href;
  } catch (cause) {
    throw new HttpError(400, 'The target and Host of the request make no URL', { cause });
  }
}
