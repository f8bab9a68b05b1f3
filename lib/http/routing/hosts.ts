// Which tables a request's Host leads to: its own, those of the names above it, the one of every host; the best first.
import { MillraceError, shown } from '../../internal/errors.js';

/** Letters in any language are written in punycode there; an IPv6 address stands in brackets. */
const HOST = /^(?:[\w-]+(?:\.[\w-]+)*|\[[\da-f:.]+\])$/;

/** So many spellings of hosts are remembered with where they lead. */
const KNOWN_MAX = 1024;
const HOST_LENGTH_MAX = 255;

export class HostTable<V> {
  readonly #everywhere: V;
  readonly #exact = new Map<string, V>();
  readonly #below = new Map<string, V>();
  /** What a stranger may fill, so it is not filled without end. */
  readonly #known = new Map<string, readonly V[]>();
  readonly #only: readonly V[];

  constructor(everywhere: V) {
    this.#everywhere = everywhere;
    this.#only = [everywhere];
  }

  /** @throws MillraceError `ERR_MILLRACE_HTTP_ROUTE` for what is no host, or one that is there already. */
  add(host: string, value: V): void {
    const below = host.startsWith('*.');
    const name = hostName(below ? host.slice(2) : host);
    if (!HOST.test(name) || name !== stripDot((below ? host.slice(2) : host).toLowerCase())) {
      throw wrong(`${shown(host)} must be a host's name without port, or '*.' and one`);
    }
    const names = below ? this.#below : this.#exact;
    if (names.has(name)) throw wrong(`The host ${shown(host)} is there twice`);
    names.set(name, value);
  }

  /** @param host the value of the Host field. */
  find(host: string): readonly V[] {
    if (this.#exact.size === 0 && this.#below.size === 0) return this.#only;
    const known = this.#known.get(host);
    if (known !== undefined) return known;
    const found = this.#search(hostName(host));
    if (this.#known.size < KNOWN_MAX && host.length <= HOST_LENGTH_MAX) this.#known.set(host, found);
    return found;
  }

  all(): [host: string, value: V][] {
    const below = [...this.#below].map(([name, value]): [string, V] => [`*.${name}`, value]);
    return [...this.#exact, ...below, ['', this.#everywhere]];
  }

  #search(name: string): readonly V[] {
    const found: V[] = [];
    const exact = this.#exact.get(name);
    if (exact !== undefined) found.push(exact);
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      const below = dot === 0 ? undefined : this.#below.get(name.slice(dot + 1));
      if (below !== undefined) found.push(below);
    }
    found.push(this.#everywhere);
    return found;
  }
}

/** The name in a Host field: in small letters, without port, and without the dot that ends a full name. */
export function hostName(host: string): string {
  const end = host.startsWith('[') ? host.indexOf(']') + 1 : host.indexOf(':');
  return stripDot((end > 0 ? host.slice(0, end) : host).toLowerCase());
}

function stripDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

function wrong(message: string): MillraceError {
  return new MillraceError('ERR_MILLRACE_HTTP_ROUTE', message);
}
