// From the path of a request to a path below a directory, or a refusal. Looks at text alone.
import { HttpError } from '../http-errors.js';

/** What to do with names that begin with a dot: `ignore`: 404; `deny`: 403; `allow`. */
export type DotfilesPolicy = 'ignore' | 'deny' | 'allow';

/** Names that lead to devices there, whatever their ending (CON.txt too). */
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]|conin\$|conout\$)(?:\.|$)/i;
/** Separators, drives and streams, wildcards; and ends that Windows drops, so that two names are one. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: Windows allows none
const WINDOWS_FORBIDDEN = /[\\:*?"<>|\x00-\x1f]|[. ]$/;

/**
 * The segments of a path below a directory. Each is decoded by itself, so that an encoded slash is a part of a name, which no
 * file has. Dot segments are refused, not resolved: clients resolve them before they send.
 *
 * @example
 * ```ts
 * console.log(staticSegments('css/a%20b.css', 'ignore')); // [ 'css', 'a b.css' ]
 * ```
 * @param path as it was sent, without query, relative to the directory. A slash at the end gives an empty last segment.
 * @param platform as `process.platform`.
 * @throws HttpError 400 for a malformed percent-encoding, NUL or a dot segment; 404 for what no file can be called; 403 and 404
 * for dotfiles.
 */
export function staticSegments(path: string, dotfiles: DotfilesPolicy, platform: string = process.platform): string[] {
  const segments = path.split('/').map(decodeSegment);
  for (const [i, segment] of segments.entries()) {
    if (segment === '' && i < segments.length - 1) throw new HttpError(404);
    if (segment === '.' || segment === '..') throw new HttpError(400, 'The path has a dot segment');
    if (segment.includes('\0')) throw new HttpError(400, 'The path has a NUL character');
    if (segment.includes('/')) throw new HttpError(404);
    if (platform === 'win32' && (WINDOWS_FORBIDDEN.test(segment) || WINDOWS_DEVICE.test(segment))) {
      throw new HttpError(404);
    }
    if (segment.startsWith('.') && dotfiles !== 'allow') throw new HttpError(dotfiles === 'deny' ? 403 : 404);
  }
  return segments;
}

function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HttpError(400, 'The path has a malformed percent-encoding');
  }
}
