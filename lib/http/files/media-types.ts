// Content-Type by the ending of a file's name. Text says that it is UTF-8.

const TEXT_TYPES: Readonly<Record<string, string>> = {
  'text/html': 'html htm',
  'text/css': 'css',
  'text/javascript': 'js mjs cjs',
  'text/plain': 'txt text log conf ini',
  'text/markdown': 'md markdown',
  'text/csv': 'csv',
  'text/tab-separated-values': 'tsv',
  'text/calendar': 'ics',
  'text/vcard': 'vcf',
  'text/vtt': 'vtt',
  'text/xml': 'xml xsl',
  'text/yaml': 'yaml yml',
};

const TYPES: Readonly<Record<string, string>> = {
  'application/json': 'json map',
  'application/ld+json': 'jsonld',
  'application/geo+json': 'geojson',
  'application/manifest+json': 'webmanifest',
  'application/x-ndjson': 'ndjson jsonl',
  'application/wasm': 'wasm',
  'application/xhtml+xml': 'xhtml',
  'application/rss+xml': 'rss',
  'application/atom+xml': 'atom',
  'application/pdf': 'pdf',
  'application/rtf': 'rtf',
  'application/epub+zip': 'epub',
  'application/zip': 'zip',
  'application/gzip': 'gz tgz',
  'application/x-tar': 'tar',
  'application/x-bzip2': 'bz2',
  'application/x-xz': 'xz',
  'application/zstd': 'zst',
  'application/x-7z-compressed': '7z',
  'application/vnd.rar': 'rar',
  'application/java-archive': 'jar',
  'application/x-sh': 'sh',
  'application/sql': 'sql',
  'application/toml': 'toml',
  'application/graphql': 'graphql gql',
  'application/vnd.ms-fontobject': 'eot',
  'application/msword': 'doc',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.ms-powerpoint': 'ppt',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'pptx',
  'application/vnd.oasis.opendocument.text': 'odt',
  'application/vnd.oasis.opendocument.spreadsheet': 'ods',
  'application/vnd.apple.mpegurl': 'm3u8',
  'application/dash+xml': 'mpd',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'm4a',
  'audio/aac': 'aac',
  'audio/ogg': 'ogg oga opus',
  'audio/wav': 'wav',
  'audio/webm': 'weba',
  'audio/flac': 'flac',
  'audio/midi': 'mid midi',
  'font/woff': 'woff',
  'font/woff2': 'woff2',
  'font/ttf': 'ttf',
  'font/otf': 'otf',
  'image/png': 'png',
  'image/apng': 'apng',
  'image/jpeg': 'jpg jpeg',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'image/avif': 'avif',
  'image/heic': 'heic',
  'image/jxl': 'jxl',
  'image/svg+xml': 'svg',
  'image/bmp': 'bmp',
  'image/tiff': 'tif tiff',
  'image/x-icon': 'ico',
  'model/gltf+json': 'gltf',
  'model/gltf-binary': 'glb',
  'video/mp4': 'mp4 m4v',
  'video/webm': 'webm',
  'video/ogg': 'ogv',
  'video/quicktime': 'mov',
  'video/mpeg': 'mpeg mpg',
  'video/mp2t': 'ts',
  'video/x-matroska': 'mkv',
  'video/x-msvideo': 'avi',
};

const byEnding = new Map<string, string>();
for (const [type, endings] of Object.entries(TYPES))
  for (const ending of endings.split(' ')) byEnding.set(ending, type);
for (const [type, endings] of Object.entries(TEXT_TYPES)) {
  for (const ending of endings.split(' ')) byEnding.set(ending, `${type}; charset=utf-8`);
}

/**
 * The Content-Type for a file's name or path.
 *
 * @example
 * ```ts
 * console.log(contentTypeOf('site/index.HTML')); // text/html; charset=utf-8
 * console.log(contentTypeOf('LICENSE')); // application/octet-stream
 * ```
 */
export function contentTypeOf(name: string): string {
  const dot = name.lastIndexOf('.');
  if (dot <= Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1) return 'application/octet-stream';
  return byEnding.get(name.slice(dot + 1).toLowerCase()) ?? 'application/octet-stream';
}
