// The URL of a request, serialized as the URL standard has it. Most are so already: then nothing is parsed.
import { HttpError } from '../http-errors.js';

/** What stands in a path or query as it is. Not here: what is encoded, a quote, a backslash, a fragment. */
const PLAIN = /^[\w\-~!$&()*+,;=:@/%?.]*$/;
/** `.` and `..` are taken out of a path, also encoded. */
const DOTS = /\/(?:\.|%2e)/i;

const ORIGINS_MAX = 256;
const origins = new Map<string, string>();

/** @throws HttpError 400 for what makes no URL. */
export function urlOf(protocol: string, host: string, target: string): string {
  if (!target.startsWith('/')) return target === '*' ? `${originOf(protocol, host)}/` : parsed(target);
  const origin = originOf(protocol, host);
  return PLAIN.test(target) && !DOTS.test(target) ? origin + target : parsed(origin + target);
}

function originOf(protocol: string, host: string): string {
  const key = `${protocol}://${host === '' ? 'localhost' : host}`;
  const known = origins.get(key);
  if (known !== undefined) return known;
  const origin = parsed(key).slice(0, -1);
  if (origins.size >= ORIGINS_MAX) origins.clear();
  origins.set(key, origin);
  return origin;
}

function parsed(text: string): string {
  try {
    return new URL(text).href;
  } catch (cause) {
    throw new HttpError(400, 'The target and Host of the request make no URL', { cause });
  }
}
