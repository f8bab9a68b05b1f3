// TLS by the OpenSSL that Node runs on, reached through the addon (native/tls/): memory in, memory out, in the turn in
// which the bytes come.
//
// - Two buffers serve all connections of the thread, since nothing in them outlives the call: plaintext lies in `plain`
//   until the host's handler returns, ciphertext in `cipher` until it is copied for sending.
// - The context stays referenced as long as the session lives: OpenSSL calls back into it.
// - The host may destroy the engine whenever it is called: every step after a call looks.
import { Buffer } from 'node:buffer';
import { loadAddon, type NativeTls } from '../internal/binding.js';
import { MillraceError } from '../internal/errors.js';
import type { SecureContext } from './context.js';
import type { EngineHost, EngineOptions, HandshakeInfo, TlsEngine } from './engine.js';
import { errorWithCode, NO_CERTIFICATE, verifyErrorOf } from './verify-error.js';

// As in native/tls/session.h.
const SECURED = 1;
const ENDED = 2;
const FAILED = 4;
const WANTS_CONTEXT = 8;
const NEW_SESSION = 16;
const MORE = 32;
const WAITS = 64;

const PLAIN_LENGTH = 0;
const CIPHER_LENGTH = 1;
const SPILL_LENGTH = 2;
const WAITING_LENGTH = 3;

/** Plaintext and ciphertext of one call: a receive buffer of 16 KiB and a record that was begun fit more than once. */
const PLAIN_BYTES = 64 * 1024;
const CIPHER_BYTES = 80 * 1024;
/** Of a write, so much is encrypted at once: four records. */
const WRITE_BYTES = 64 * 1024;

const NOTHING = Buffer.alloc(0);

interface Library extends NativeTls {
  readonly words: Uint32Array;
  readonly plain: Buffer;
  readonly cipher: Buffer;
  /** A host is being given what lies in `plain`. */
  plainInUse: boolean;
}

interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** Memory that users see views of: of WebAssembly where that can be had, since nothing can detach it. */
function fixedMemory(bytes: number): Buffer {
  const { WebAssembly } = globalThis as unknown as { WebAssembly?: { Memory: new (pages: object) => WasmMemory } };
  try {
    const pages = bytes / 65536;
    if (WebAssembly !== undefined)
      return Buffer.from(new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer);
  } catch {
    // No address space for it.
  }
  return Buffer.from(new ArrayBuffer(bytes));
}

let library: Library | null | undefined;

/** What the addon has found of OpenSSL; null where that is not enough. */
function openLibrary(): Library | null {
  if (library === undefined) {
    const { openssl } = process.versions;
    const found = openssl === undefined ? undefined : loadAddon().openTls?.(openssl);
    library =
      found === undefined
        ? null
        : {
            ...found,
            words: new Uint32Array(found.results),
            plain: fixedMemory(PLAIN_BYTES),
            cipher: Buffer.from(new ArrayBuffer(CIPHER_BYTES)),
            plainInUse: false,
          };
  }
  return library;
}

/** Whether this engine can serve here. */
export function nativeEngineUsable(): boolean {
  return openLibrary() !== null;
}

/** Sessions that are alive, for tests. */
export function nativeSessions(): number {
  return openLibrary()?.alive() ?? 0;
}

function externalOf(context: SecureContext): unknown {
  return (context.node.context as { _external?: unknown })._external;
}

/** The names as TLS has them on the wire, each after its length. */
export function alpnWire(protocols: readonly string[]): Buffer {
  const parts = protocols.map((name) => Buffer.from(name, 'latin1'));
  return Buffer.concat(parts.flatMap((part) => [Buffer.from([part.length]), part]));
}

export class NativeEngine implements TlsEngine {
  held = 0;
  readonly #host: EngineHost;
  readonly #library: Library;
  readonly #handle: number;
  readonly #server: boolean;
  /** Those that it was given: see above. */
  readonly #contexts: SecureContext[] = [];
  #alive = true;
  /** Our close_notify waits for the rest of what the peer has begun to say. */
  #endWaits = false;

  constructor(host: EngineHost, options: EngineOptions) {
    this.#host = host;
    this.#library = openLibrary() as Library;
    this.#server = options.server;
    this.#prepare(options.context);
    const handle = this.#library.create(externalOf(options.context), {
      server: options.server,
      requestCertificate: options.requestCert,
      rejectUnauthorized: options.rejectUnauthorized,
      selectContext: options.selectContext,
      servername: options.servername,
      alpn: alpnWire(options.alpnProtocols),
      session: options.session ?? NOTHING,
    });
    if (handle === undefined) {
      throw new MillraceError('ERR_MILLRACE_TLS', 'OpenSSL could not make a TLS connection with these options');
    }
    this.#handle = handle;
  }

  /** A client speaks first. */
  start(): void {
    if (!this.#server) this.receive(NOTHING, 0, 0);
  }

  receive(memory: Buffer, offset: number, length: number): void {
    const own = this.#library;
    // A handler of one connection may feed another one (upgrade): what it holds must not be written over.
    const plain = own.plainInUse ? Buffer.allocUnsafe(PLAIN_BYTES) : own.plain;
    const outer = own.plainInUse;
    own.plainInUse = true;
    try {
      this.#receive(plain, memory, offset, length);
    } finally {
      own.plainInUse = outer;
    }
  }

  #receive(plain: Buffer, memory: Buffer, offset: number, length: number): void {
    const { cipher, words } = this.#library;
    let flags = this.#library.receive(this.#handle, memory, offset, length, cipher, 0, CIPHER_BYTES, plain);
    for (;;) {
      const plainLength = words[PLAIN_LENGTH] as number;
      const waited = this.held > 0 || this.#endWaits;
      this.held = words[WAITING_LENGTH] as number;
      this.#flush();
      if ((flags & ~(MORE | WAITS)) !== 0 && this.#alive) this.#tellBefore(flags);
      if (plainLength > 0 && this.#alive) this.#host.onPlaintext(plain, 0, plainLength);
      if ((flags & (ENDED | FAILED)) !== 0 && this.#alive) this.#tellAfter(flags);
      if (waited && (flags & WAITS) === 0 && this.#alive) this.#tellFlushed();
      if ((flags & MORE) === 0 || !this.#alive) return;
      flags = this.#library.receive(this.#handle, NOTHING, 0, 0, cipher, 0, CIPHER_BYTES, plain);
    }
  }

  end(): void {
    this.#host.onTruncated();
  }

  write(bytes: Uint8Array, offset: number, length: number): void {
    const { cipher } = this.#library;
    for (let at = 0; at < length && this.#alive; at += WRITE_BYTES) {
      const part = Math.min(length - at, WRITE_BYTES);
      const flags = this.#library.write(this.#handle, bytes, offset + at, part, cipher, 0, CIPHER_BYTES);
      this.held = this.#library.words[WAITING_LENGTH] as number;
      this.#flush();
      if ((flags & FAILED) !== 0) {
        if (this.#alive) this.#tellAfter(flags);
        return;
      }
    }
  }

  shutdown(): void {
    const flags = this.#library.shutdown(this.#handle, this.#library.cipher, 0, CIPHER_BYTES);
    this.#endWaits = (flags & WAITS) !== 0;
    this.#flush();
    if (this.#alive && !this.#endWaits) this.#host.onCloseNotifySent();
  }

  select(context: SecureContext | null): void {
    if (!this.#alive) return;
    if (context === null) {
      this.#library.select(this.#handle, undefined);
    } else {
      this.#prepare(context);
      this.#library.select(this.#handle, externalOf(context));
    }
    this.receive(NOTHING, 0, 0);
  }

  info(): HandshakeInfo {
    const { protocol, cipher, standardName, version, alpn, servername, reused } = this.#library.describe(this.#handle);
    return {
      protocol,
      cipher: { name: cipher ?? '', standardName: standardName ?? '', version: version ?? '' },
      alpnProtocol: alpn === '' ? null : alpn,
      servername: servername === '' ? null : servername,
      reused,
    };
  }

  verifyError(): Error | null {
    const { code, message, certificate } = this.#library.verify(this.#handle);
    if (!certificate) return verifyErrorOf(NO_CERTIFICATE, 'unable to get issuer certificate');
    return code === 0 ? null : verifyErrorOf(code, message);
  }

  peerCertificates(): Buffer[] {
    return this.#library.peerCertificates(this.#handle);
  }

  destroy(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#library.release(this.#handle);
  }

  /** Before the plaintext of the same call. */
  #tellBefore(flags: number): void {
    if ((flags & SECURED) !== 0) this.#host.onSecured();
    if ((flags & NEW_SESSION) !== 0 && this.#alive) this.#host.onSession(this.#library.takeSession(this.#handle));
    if ((flags & WANTS_CONTEXT) !== 0 && this.#alive) {
      this.#host.onWantsContext(this.#library.describe(this.#handle).servername);
    }
  }

  #tellAfter(flags: number): void {
    if ((flags & FAILED) !== 0) this.#host.onFailed(this.#failure());
    else this.#host.onEnded();
  }

  #tellFlushed(): void {
    this.#host.onFlushed();
    if (!this.#endWaits || !this.#alive) return;
    this.#endWaits = false;
    this.#host.onCloseNotifySent();
  }

  #failure(): Error {
    const { code, message } = this.#library.verify(this.#handle);
    const { library: name, reason, message: text } = this.#library.failure(this.#handle);
    if (reason === 'certificate verify failed' && code !== 0) return verifyErrorOf(code, message);
    if (reason === '') return errorWithCode('ERR_MILLRACE_TLS', 'The TLS connection failed');
    const error = errorWithCode(`ERR_SSL_${reason.replaceAll(/[ -]/g, '_').toUpperCase()}`, text);
    return Object.assign(error, { library: name, reason });
  }

  #flush(): void {
    const { words, cipher } = this.#library;
    const cipherLength = words[CIPHER_LENGTH] as number;
    const spilled = words[SPILL_LENGTH] as number;
    if (cipherLength > 0) this.#host.onCipher(cipher.subarray(0, cipherLength));
    if (spilled > 0 && this.#alive) this.#host.onCipher(this.#library.takeSpill(this.#handle));
  }

  #prepare(context: SecureContext): void {
    if (!context.prepared) this.#library.prepare(externalOf(context));
    context.prepared = true;
    this.#contexts.push(context);
  }
}
