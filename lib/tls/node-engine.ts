// TLS by node:tls, over a stream that only carries bytes between it and the host: where the OpenSSL of Node cannot be
// reached. It costs about half as much again.
//
// node:tls judges no certificate here (`rejectUnauthorized` is false): the host does, the same way for both engines.
import { Buffer } from 'node:buffer';
import { Duplex } from 'node:stream';
import { connect, type DetailedPeerCertificate, type SecureContext as NodeContext, TLSSocket } from 'node:tls';
import type { SecureContext } from './context.js';
import type { EngineHost, EngineOptions, HandshakeInfo, TlsEngine } from './engine.js';
import { errorWithCode } from './verify-error.js';

type Callback = (error?: Error | null) => void;

/** The transport as node:tls sees it. */
class Wire extends Duplex {
  readonly #engine: NodeEngine;

  constructor(engine: NodeEngine) {
    super({ allowHalfOpen: true, autoDestroy: false });
    this.#engine = engine;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#engine.wireWritten(chunk);
    callback();
  }

  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    const [first] = chunks;
    const all =
      chunks.length === 1 && first !== undefined ? first.chunk : Buffer.concat(chunks.map(({ chunk }) => chunk));
    this.#engine.wireWritten(all);
    callback();
  }

  override _final(callback: Callback): void {
    this.#engine.wireFinished();
    callback();
  }
}

/** What there is of node:tls's own handle: the verdict on a client's certificate has no other way out. */
interface Internals {
  _handle?: { verifyError?(): (Error & { code?: string }) | null } | null;
}

export class NodeEngine implements TlsEngine {
  readonly #host: EngineHost;
  readonly #options: EngineOptions;
  readonly #wire = new Wire(this);
  #tls: TLSSocket | null = null;
  #alive = true;
  #wireEnded = false;
  /** The peer's close_notify has come. */
  #ended = false;
  #selected: ((error: Error | null, context?: NodeContext) => void) | null = null;

  constructor(host: EngineHost, options: EngineOptions) {
    this.#host = host;
    this.#options = options;
  }

  get held(): number {
    return this.#tls?.writableLength ?? 0;
  }

  start(): void {
    const { server, context, requestCert, selectContext, servername, alpnProtocols, session } = this.#options;
    const common = {
      secureContext: context.node,
      rejectUnauthorized: false,
      ...(alpnProtocols.length === 0 ? {} : { ALPNProtocols: [...alpnProtocols] }),
    };
    if (server) {
      this.#tls = new TLSSocket(this.#wire, {
        ...common,
        isServer: true,
        requestCert,
        ...(selectContext ? { SNICallback: (name, done) => this.#select(name, done) } : {}),
      });
    } else {
      this.#tls = connect({
        ...common,
        socket: this.#wire,
        checkServerIdentity: () => undefined,
        ...(servername === '' ? {} : { servername }),
        ...(session === null ? {} : { session }),
      });
    }
    this.#listen(this.#tls);
  }

  receive(memory: Buffer, offset: number, length: number): void {
    this.#wire.push(Buffer.from(memory.subarray(offset, offset + length)));
  }

  end(): void {
    this.#wireEnded = true;
    this.#wire.push(null);
  }

  write(bytes: Uint8Array, offset: number, length: number): void {
    this.#tls?.write(Buffer.from(bytes.subarray(offset, offset + length)), () => {
      if (this.#alive && this.held === 0) this.#host.onFlushed();
    });
  }

  shutdown(): void {
    this.#tls?.end();
  }

  select(context: SecureContext | null): void {
    const selected = this.#selected;
    this.#selected = null;
    if (context === null) selected?.(null);
    else selected?.(null, context.node);
  }

  info(): HandshakeInfo {
    const tls = this.#tls as TLSSocket;
    const { name, standardName, version } = tls.getCipher();
    const servername = (tls as { servername?: string | false }).servername;
    return {
      protocol: tls.getProtocol() ?? '',
      cipher: { name, standardName, version },
      alpnProtocol: tls.alpnProtocol || null,
      servername: servername || (this.#options.server ? null : this.#options.servername) || null,
      reused: tls.isSessionReused(),
    };
  }

  verifyError(): Error | null {
    const error = (this.#tls as unknown as Internals)._handle?.verifyError?.() ?? null;
    return error;
  }

  peerCertificates(): Buffer[] {
    const certificates: Buffer[] = [];
    let certificate: DetailedPeerCertificate | undefined = this.#tls?.getPeerCertificate(true);
    while (certificate?.raw !== undefined) {
      const { raw, issuerCertificate } = certificate;
      if (certificates.some((other) => other.equals(raw))) break;
      certificates.push(raw);
      certificate = issuerCertificate;
    }
    return certificates;
  }

  destroy(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#tls?.destroy();
    this.#wire.destroy();
  }

  /** @internal */
  wireWritten(bytes: Buffer): void {
    if (this.#alive) this.#host.onCipher(bytes);
  }

  /** @internal */
  wireFinished(): void {
    if (this.#alive) this.#host.onCloseNotifySent();
  }

  #listen(tls: TLSSocket): void {
    tls.on(this.#options.server ? 'secure' : 'secureConnect', () => {
      if (this.#alive) this.#host.onSecured();
    });
    tls.on('data', (bytes: Buffer) => {
      if (this.#alive) this.#host.onPlaintext(bytes, 0, bytes.length);
    });
    tls.on('session', (session: Buffer) => {
      if (this.#alive) this.#host.onSession(session);
    });
    // The end that comes before that of the wire is the peer's close_notify.
    const push = tls.push.bind(tls);
    tls.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (chunk === null && !this.#wireEnded) this.#ended = true;
      return push(chunk, encoding);
    };
    tls.on('end', () => this.#tellEnd());
    const fail = (error: Error): void => {
      if (this.#alive) this.#host.onFailed(error);
    };
    tls.on('error', fail);
    // After the handshake, a server's errors come out here only: node:tls keeps them for its own server.
    tls.on('_tlsError', fail);
    tls.on('close', () => this.#tellEnd());
  }

  #tellEnd(): void {
    if (!this.#alive) return;
    if (this.#ended) this.#host.onEnded();
    else if (this.#wireEnded) this.#host.onTruncated();
    else this.#host.onFailed(errorWithCode('ECONNRESET', 'The TLS connection was closed'));
  }

  #select(servername: string, done: (error: Error | null, context?: NodeContext) => void): void {
    this.#selected = done;
    if (this.#alive) this.#host.onWantsContext(servername);
  }
}
