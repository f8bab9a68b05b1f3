// Finds and loads the addon: MILLRACE_ADDON if that is set (a path: sanitizer builds), else what node-gyp-build finds in
// build/Release (a clone) or prebuilds/ (the package).
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { foreignRuntime, loadFailure, packageRoot, runtimeFailure } from './addon-failure.js';

export type Backend = 'auto' | 'uring' | 'uv';

export interface AddonInfo {
  backend: string;
  fallbackReason?: string;
  [key: string]: unknown;
}

/** What the addon exports; see docs/architecture.md. */
export interface Addon {
  open(
    options: { backend: Backend },
    drain: () => void,
  ): { control: ArrayBuffer; submissions: ArrayBuffer; completions: ArrayBuffer };
  flush(): void;
  wake(): void;
  clock(): number;
  openIo(): {
    receiveArena: ArrayBuffer;
    sendArena: ArrayBuffer;
    sendBlockSegments: ArrayBuffer;
    socketBytesSent: ArrayBuffer;
  };
  /** With LISTEN_UNIX `address` is a path, or NUL and an abstract name; `mode` the socket file's, 0: the umask's. */
  listen(address: string, port: number, backlog: number, flags: number, mode: number): number;
  /** `flags` is 0 or LISTEN_UNIX; `localAddress` '' and `localPort` 0: the kernel chooses. */
  connect(address: string, port: number, flags: number, localAddress: string, localPort: number): number;
  /** Takes over a descriptor, which must not be used or closed by anybody else afterwards: a handle. */
  adopt(fd: number): number;
  /** Bytes that were taken: none where something is queued already. See send_at_once in native/io/backend.h. */
  send(handle: number, data: Uint8Array, offset: number, length: number): number;
  /** Its number; it stays the addon's. */
  descriptor(handle: number): number;
  setOption(handle: number, option: number, value: number): number;
  getOption(handle: number, option: number): number;
  credentials(handle: number): { pid: number; uid: number; gid: number } | number;
  /** Family 'Unix': `address` is a path, NUL and an abstract name, or '' of what has none; `port` is 0. */
  name(handle: number, peer: boolean): { address: string; family: string; port: number } | number;
  openDatagrams(): {
    receiveArena: ArrayBuffer;
    receives: ArrayBuffer;
    sendArena: ArrayBuffer;
    sends: ArrayBuffer;
    control: ArrayBuffer;
    queuedBytes: ArrayBuffer;
  };
  bindDatagrams(address: string, port: number, flags: number, bytesMax: number): number;
  connectDatagrams(handle: number, address: string, port: number): number;
  datagramName(handle: number, peer: boolean): { address: string; family: string; port: number } | number;
  datagramOption(handle: number, option: number, value?: number): number;
  datagramMembership(handle: number, join: boolean, group: string, interfaceName: string, source: string): number;
  datagramInterface(handle: number, interfaceName: string): number;
  setTime(mode: number, ms: number): void;
  info(): AddonInfo;
  counters(): Record<string, number>;
  /** TLS over the OpenSSL of this version, or undefined where that cannot be had: see lib/tls/native-engine.ts. */
  openTls?(version: string): NativeTls | undefined;
  /** The engine's continuation data, on Node 20 and 22 where it can be reached: see task-context.ts. */
  getContinuation?(): unknown;
  swapContinuation?(value: unknown): unknown;
}

/** What the native one has besides: what no other network in its place replaces. */
export interface NativeAddon extends Addon {
  /** The HTTP codec: see lib/http/codec.ts. */
  openHttp(): NativeHttp;
}

/** native/addon/tls.cc. A context is the External that Node's SecureContext has; flags are those of native/tls/session.h. */
export interface NativeTls {
  /** What each call leaves: lengths of plaintext, of ciphertext, and of ciphertext that did not fit. */
  results: ArrayBuffer;
  prepare(context: unknown): void;
  create(
    context: unknown,
    settings: {
      server: boolean;
      requestCertificate: boolean;
      rejectUnauthorized: boolean;
      selectContext: boolean;
      servername: string;
      alpn: Uint8Array;
      session: Uint8Array;
    },
  ): number | undefined;
  release(handle: number): void;
  receive(
    handle: number,
    input: Uint8Array,
    offset: number,
    length: number,
    output: Uint8Array,
    outputOffset: number,
    room: number,
    plain: Uint8Array,
  ): number;
  write(
    handle: number,
    input: Uint8Array,
    offset: number,
    length: number,
    output: Uint8Array,
    outputOffset: number,
    room: number,
  ): number;
  shutdown(handle: number, output: Uint8Array, offset: number, room: number): number;
  select(handle: number, context: unknown): void;
  takeSpill(handle: number): Buffer;
  takeSession(handle: number): Buffer;
  failure(handle: number): { library: string; reason: string; message: string };
  verify(handle: number): { code: number; message: string; certificate: boolean };
  describe(handle: number): {
    protocol: string;
    cipher?: string;
    standardName?: string;
    version?: string;
    alpn: string;
    servername: string;
    reused: boolean;
  };
  peerCertificates(handle: number): Buffer[];
  alive(): number;
}

/** native/addon/http.cc. What `parse` is told and tells is in the table: native/core/http/events.h. */
export interface NativeHttp {
  table: ArrayBuffer;
  scratch: ArrayBuffer;
  server(
    requestLineBytes: number,
    headBytes: number,
    fields: number,
    chunkExtensionBytes: number,
    trailerBytes: number,
  ): number;
  /** The flat form of a static table (StaticRouteWord, StaticReplyWord); no words: none. */
  setStatic(server: number, words: Uint32Array, bytes: Uint8Array): void;
  dropServer(server: number): void;
  attach(server: number): number;
  detach(connection: number): void;
  parse(input?: Uint8Array, output?: Uint8Array): number;
  /** HTTP_INPUT_IS_ARENA or HTTP_OUTPUT_IS_ARENA for what is one of the arenas of `openIo`, else 0. */
  isArena(bytes: Uint8Array): number;
  skipBody(connection: number): void;
  connections(): number;
}

const require = createRequire(import.meta.url);

/** Loads the addon, once. @throws MillraceError `ERR_MILLRACE_ADDON` where it cannot run. */
function load(): NativeAddon {
  const runtime = foreignRuntime();
  if (runtime !== null) throw runtimeFailure(runtime);
  const given = process.env.MILLRACE_ADDON;
  let file = given ? resolve(given) : null;
  const root = packageRoot(import.meta.url);
  try {
    file ??= (require('node-gyp-build') as { resolve(root: string): string }).resolve(root);
    return require(file) as NativeAddon;
  } catch (cause) {
    throw loadFailure(file, root, cause);
  }
}

const addon = load();

/** The addon. It is loaded with this module, so that importing Millrace fails where it cannot run; nothing is opened. */
export function loadAddon(): NativeAddon {
  return addon;
}
