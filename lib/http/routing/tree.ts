// The routes of one host: a map of those without parameters, and a tree of segments for the others.
//
// At each segment text goes before a parameter, and that before a wildcard; where the way ends without a handler for the
// method, the next best is tried. Each node is reached in one way only, so a search visits none twice.
import { MillraceError, shown } from '../../internal/errors.js';
import type { Endpoint } from './endpoint.js';
import { RouteMatch } from './match.js';
import { PARAMETER, shapeOf, WILDCARD } from './pattern.js';

const SLASH = 0x2f;
/** Up to so many texts are compared one after the other; more are looked up. */
const COMPARED = 8;

class Node<T> {
  /** The segment that leads here; after `compress` several, with slashes in between. */
  text: string;
  readonly texts = new Map<string, Node<T>>();
  compared: Node<T>[] | null = null;
  parameter: Node<T> | null = null;
  /** For a path that ends here. */
  endpoint: Endpoint<T> | null = null;
  /** For whatever follows. */
  wildcard: Endpoint<T> | null = null;

  constructor(text: string) {
    this.text = text;
  }

  /** A node that only leads to another becomes one with it. */
  compress(): Node<T> {
    for (const [segment, node] of this.texts) this.texts.set(segment, node.compress());
    this.parameter = this.parameter?.compress() ?? null;
    if (this.texts.size <= COMPARED) this.compared = [...this.texts.values()];
    const [only] = this.texts.values();
    const leads = this.parameter === null && this.endpoint === null && this.wildcard === null && this.texts.size === 1;
    if (!leads || only === undefined || this.text === '') return this;
    only.text = `${this.text}/${only.text}`;
    return only;
  }
}

/** Where the parameters of the path that is being looked for begin and end. One search runs at a time. */
const spans: number[] = [];

export class RouteTree<T> {
  readonly endpoints: Endpoint<T>[] = [];
  readonly #static = new Map<string, Endpoint<T>>();
  readonly #shapes = new Map<string, Endpoint<T>>();
  #root = new Node<T>('');

  /** @throws MillraceError `ERR_MILLRACE_HTTP_ROUTE` naming both, if another stands for the same requests. */
  add(endpoint: Endpoint<T>, host: string): void {
    const { segments, text } = endpoint.pattern;
    const shape = shapeOf(segments);
    const other = this.#shapes.get(shape);
    if (other !== undefined) {
      const where = host === '' ? '' : ` of the host ${shown(host)}`;
      throw new MillraceError(
        'ERR_MILLRACE_HTTP_ROUTE',
        `The routes ${shown(other.pattern.text)} and ${shown(text)}${where} stand for the same requests`,
      );
    }
    this.#shapes.set(shape, endpoint);
    this.endpoints.push(endpoint);
    if (endpoint.isStatic) {
      this.#static.set(`/${segments.join('/')}`, endpoint);
      return;
    }
    let node = this.#root;
    for (const segment of segments) {
      if (segment === WILDCARD) {
        node.wildcard = endpoint;
        return;
      }
      node = step(node, segment);
    }
    node.endpoint = endpoint;
  }

  /** Nothing is added after this. */
  compress(): void {
    this.#root = this.#root.compress();
  }

  /** @param path decoded. @returns null where there is no handler for the method. */
  find(method: string, path: string): RouteMatch<T> | null {
    const endpoint = this.#static.get(path);
    if (endpoint !== undefined) {
      const match = endpoint.find(method);
      if (match !== null) return match;
    }
    if (path.charCodeAt(0) !== SLASH) return null;
    return findIn(this.#root, method, path, 1, 0);
  }

  /** Adds the methods that the path has handlers for. */
  addMethods(path: string, methods: Set<string>): void {
    this.#static.get(path)?.addMethods(methods);
    if (path.charCodeAt(0) === SLASH) addMethodsOf(this.#root, path, 1, methods);
  }
}

function step<T>(node: Node<T>, segment: string | typeof PARAMETER): Node<T> {
  if (segment === PARAMETER) {
    node.parameter ??= new Node('');
    return node.parameter;
  }
  const known = node.texts.get(segment);
  if (known !== undefined) return known;
  const made = new Node<T>(segment);
  node.texts.set(segment, made);
  return made;
}

/** @param at where the next segment begins: behind a slash, or behind the path's end where there is none. */
function findIn<T>(node: Node<T>, method: string, path: string, at: number, depth: number): RouteMatch<T> | null {
  if (at > path.length) return node.endpoint === null ? null : found(node.endpoint, method, path, depth);
  const { compared, parameter, wildcard } = node;
  let match: RouteMatch<T> | null = null;
  if (compared === null) {
    const next = node.texts.get(path.slice(at, segmentEnd(path, at)));
    const behind = next === undefined ? 0 : textEnd(next.text, path, at);
    if (next !== undefined && behind !== 0) match = findIn(next, method, path, behind, depth);
  } else {
    for (let i = 0; i < compared.length; i++) {
      const next = compared[i] as Node<T>;
      const behind = textEnd(next.text, path, at);
      if (behind === 0) continue;
      match = findIn(next, method, path, behind, depth);
      break;
    }
  }
  if (match !== null) return match;
  if (parameter !== null) {
    const end = segmentEnd(path, at);
    if (end > at) {
      spans[2 * depth] = at;
      spans[2 * depth + 1] = end;
      match = findIn(parameter, method, path, end + 1, depth + 1);
      if (match !== null) return match;
    }
  }
  if (wildcard === null) return null;
  spans[2 * depth] = at;
  spans[2 * depth + 1] = path.length;
  return found(wildcard, method, path, depth + 1);
}

function addMethodsOf<T>(node: Node<T>, path: string, at: number, methods: Set<string>): void {
  if (at > path.length) {
    node.endpoint?.addMethods(methods);
    return;
  }
  for (const next of node.texts.values()) {
    const behind = textEnd(next.text, path, at);
    if (behind !== 0) addMethodsOf(next, path, behind, methods);
  }
  const end = segmentEnd(path, at);
  if (node.parameter !== null && end > at) addMethodsOf(node.parameter, path, end + 1, methods);
  node.wildcard?.addMethods(methods);
}

/** Where the next segment begins after `text`; 0 if the path has another at `at`. */
function textEnd(text: string, path: string, at: number): number {
  const end = at + text.length;
  if (end < path.length && path.charCodeAt(end) !== SLASH) return 0;
  return path.startsWith(text, at) ? end + 1 : 0;
}

function segmentEnd(path: string, at: number): number {
  const slash = path.indexOf('/', at);
  return slash < 0 ? path.length : slash;
}

function found<T>(endpoint: Endpoint<T>, method: string, path: string, depth: number): RouteMatch<T> | null {
  const match = endpoint.find(method);
  if (match === null) return null;
  const where = depth === 1 ? [spans[0] as number, spans[1] as number] : spans.slice(0, 2 * depth);
  return new RouteMatch('found', match.handler, match.route, '', match.headOfGet, path, where);
}
