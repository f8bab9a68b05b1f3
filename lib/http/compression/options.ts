import { checkFunction, checkInteger, checkObject, outOfRange } from '../../internal/errors.js';
import type { Coding } from '../negotiation.js';

/** How replies are compressed. */
export interface CompressionOptions {
  /** Codings, the preferred one first. Default: `['br', 'gzip']`. */
  readonly codings?: readonly Coding[];
  /** Shorter bodies are sent as they are. 0 to 2^31 - 1 bytes, default 1,024. */
  readonly minBytes?: number;
  /** gzip's level: 1 (fast) to 9 (small), default 6. */
  readonly gzipLevel?: number;
  /** Brotli's quality: 0 (fast) to 11 (small, and slow), default 4, which is about as fast as gzip's 6. */
  readonly brotliQuality?: number;
  /** Which types are compressed, by their essence: `text/html`. Default: `isCompressible`. */
  readonly compressible?: (essence: string) => boolean;
}

const CODINGS: readonly Coding[] = ['br', 'gzip'];

/** @throws TypeError (`ERR_INVALID_ARG_TYPE`), RangeError (`ERR_OUT_OF_RANGE`) naming the option. */
export function compressionOptionsOf(given: CompressionOptions): Required<CompressionOptions> {
  checkObject(given, 'compression');
  const options = {
    codings: given.codings ?? CODINGS,
    minBytes: given.minBytes ?? 1024,
    gzipLevel: given.gzipLevel ?? 6,
    brotliQuality: given.brotliQuality ?? 4,
    compressible: given.compressible ?? isCompressible,
  };
  if (!Array.isArray(options.codings) || options.codings.some((coding: Coding) => !CODINGS.includes(coding))) {
    throw outOfRange('compression.codings', "a list of 'br' and 'gzip'", options.codings);
  }
  checkInteger(options.minBytes, 'compression.minBytes', 0, 2 ** 31 - 1);
  checkInteger(options.gzipLevel, 'compression.gzipLevel', 1, 9);
  checkInteger(options.brotliQuality, 'compression.brotliQuality', 0, 11);
  checkFunction(options.compressible, 'compression.compressible');
  return options;
}

const COMPRESSIBLE = new Set([
  'application/javascript',
  'application/json',
  'application/x-javascript',
  'application/x-ndjson',
  'application/x-sh',
  'application/x-www-form-urlencoded',
  'application/xml',
  'application/wasm',
  'application/rtf',
  'application/sql',
  'application/toml',
  'application/graphql',
  'application/vnd.apple.mpegurl',
  'application/vnd.ms-fontobject',
  'font/ttf',
  'font/otf',
  'image/bmp',
  'image/svg+xml',
  'image/x-icon',
  'model/gltf+json',
]);

/** Text, what is made of JSON, XML or YAML, and a few that are known to become smaller. */
export function isCompressible(essence: string): boolean {
  return essence.startsWith('text/') || /\+(?:json|xml|yaml|text)$/.test(essence) || COMPRESSIBLE.has(essence);
}
