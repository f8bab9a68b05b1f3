// A directory whose files are served.
import { realpath, stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { checkObject, invalidType, outOfRange } from '../../internal/errors.js';
import { HttpError } from '../http-errors.js';
import { type DotfilesPolicy, staticSegments } from './resolve.js';
import { FileSource, openFailed } from './source.js';

export interface DirectoryOptions {
  /** What a directory is answered with: the name of a file in it; false: nothing. Default: `index.html`. */
  readonly index?: string | false;
  /** Names that begin with a dot: `ignore` (default): 404; `deny`: 403; `allow`. `.well-known` is one of them. */
  readonly dotfiles?: DotfilesPolicy;
  /**
   * Symbolic links: `inside` (default): those that stay in the directory; `follow`: all, wherever they lead; `deny`: none. What is
   * not followed is 404. For who can change the directory while it is served, `inside` is no barrier.
   */
  readonly links?: 'inside' | 'follow' | 'deny';
  /** Redirect `/docs` to `/docs/` where that is a directory with an index. Default: true. */
  readonly redirect?: boolean;
}

/** A file, opened; or where to go. */
export type Resolution =
  | { readonly kind: 'file'; readonly source: FileSource /** Its name, for `contentTypeOf`. */; readonly name: string }
  | {
      readonly kind: 'redirect' /** The path with a slash at its end, percent-encoded, and the query. */;
      readonly location: string;
    };

const DOTFILES = ['ignore', 'deny', 'allow'];
const LINKS = ['inside', 'follow', 'deny'];

/**
 * Files below a directory, by the paths of requests. Nothing that a client sends leads out of it.
 *
 * @example
 * ```ts
 * const directory = new StaticDirectory('public', { dotfiles: 'deny' });
 * await directory.resolve('../secret', '/../secret').catch((error) => console.log(error.status)); // 400
 * ```
 */
export class StaticDirectory {
  /** Absolute. */
  readonly root: string;
  readonly #index: string | false;
  readonly #dotfiles: DotfilesPolicy;
  readonly #links: 'inside' | 'follow' | 'deny';
  readonly #redirect: boolean;

  /** @throws TypeError (`ERR_INVALID_ARG_TYPE`), RangeError (`ERR_OUT_OF_RANGE`) naming the argument. */
  constructor(root: string, options: DirectoryOptions = {}) {
    if (typeof root !== 'string' || root === '') throw invalidType('root', 'the path of a directory', root);
    checkObject(options, 'options');
    const { index = 'index.html', dotfiles = 'ignore', links = 'inside', redirect = true } = options;
    if (index !== false && (typeof index !== 'string' || index === '' || /[/\\\0]/.test(index))) {
      throw invalidType('options.index', "a file's name or false", index);
    }
    if (!DOTFILES.includes(dotfiles)) throw outOfRange('options.dotfiles', "'ignore', 'deny' or 'allow'", dotfiles);
    if (!LINKS.includes(links)) throw outOfRange('options.links', "'inside', 'follow' or 'deny'", links);
    if (typeof redirect !== 'boolean') throw invalidType('options.redirect', 'a boolean', redirect);
    this.root = resolve(root);
    this.#index = index;
    this.#dotfiles = dotfiles;
    this.#links = links;
    this.#redirect = redirect;
  }

  /**
   * Finds and opens the file for a request. Close `source` in the end, or give it to `FilePieces`, which does.
   *
   * @param path relative to the directory, as it was sent: `RouteMatch.wildcardOf` gives it.
   * @param requestPath the request's whole path, as it was sent, for a redirect.
   * @param query as it was sent, without the question mark: a redirect keeps it.
   * @throws HttpError 400, 403, 404. Errors of the system that are the server's own: EMFILE, EIO.
   */
  async resolve(path: string, requestPath: string, query = ''): Promise<Resolution> {
    const segments = staticSegments(path, this.#dotfiles);
    const name = segments.at(-1) as string;
    const found = join(this.root, ...segments);
    if (name === '') return this.#directory(found, true, requestPath, query);
    try {
      return { kind: 'file', source: await this.#open(found), name };
    } catch (error) {
      if (error instanceof HttpError && (await isDirectory(found))) {
        return this.#directory(found, false, requestPath, query);
      }
      throw error;
    }
  }

  async #directory(path: string, slashed: boolean, requestPath: string, query: string): Promise<Resolution> {
    if (this.#index === false || (!slashed && !this.#redirect)) throw new HttpError(404);
    const source = await this.#open(join(path, this.#index));
    if (slashed) return { kind: 'file', source, name: this.#index };
    await source.close();
    return { kind: 'redirect', location: withSlash(requestPath) + (query === '' ? '' : `?${query}`) };
  }

  async #open(path: string): Promise<FileSource> {
    if (this.#links === 'follow') return FileSource.open(path);
    const [root, real] = await Promise.all([realpath(this.root), realpath(path)]).catch((error: unknown) => {
      throw openFailed(error);
    });
    const below = real.slice(withSeparator(root).length);
    const asAsked = path.slice(withSeparator(this.root).length);
    const isInside = real.startsWith(withSeparator(root));
    if (!isInside || (this.#links === 'deny' && below !== asAsked)) throw new HttpError(404);
    return FileSource.open(real, { followLinks: false });
  }
}

function withSeparator(path: string): string {
  return path.endsWith(sep) ? path : path + sep;
}

/** Also for a link to one. */
async function isDirectory(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => null);
  return stats?.isDirectory() === true;
}

/** Never with two slashes at its beginning: that would be another host. */
function withSlash(requestPath: string): string {
  return `/${requestPath.replace(/^[/\\]+/, '')}/`;
}
