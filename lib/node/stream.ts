// What the connectors have in common: a stream that is made, and told where to connect.
import type { SocketConnectOpts, TcpSocketConnectOpts } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { checkInteger, checkObject } from '../internal/errors.js';
import { SocketDuplex } from '../net/duplex.js';

/** What every connector takes. */
export interface ConnectorOptions {
  /** Of each stream's own buffers, in bytes, 1 to 2^30. Default: Node's. */
  highWaterMark?: number;
}

export function checkConnectorOptions(options: ConnectorOptions): void {
  checkObject(options, 'options');
  if (options.highWaterMark !== undefined) checkInteger(options.highWaterMark, 'options.highWaterMark', 1, 2 ** 30);
}

/** A stream that is not connected yet. */
export function makeStream({ highWaterMark }: ConnectorOptions): SocketDuplex {
  return new SocketDuplex(highWaterMark === undefined ? {} : { highWaterMark });
}

/** Where to connect; a path goes before a host and port. */
export interface Target {
  host?: string | null | undefined;
  port?: number | string | null | undefined;
  path?: string | null | undefined;
  localAddress?: string | null | undefined;
  family?: number | null | undefined;
  /** Milliseconds of idleness after which the stream emits 'timeout'. */
  timeout?: number | null | undefined;
}

export function openStream(target: Target, options: ConnectorOptions): SocketDuplex {
  const { host, port, path, localAddress, family, timeout } = target;
  const stream = makeStream(options);
  if (timeout) stream.setTimeout(timeout);
  const to: SocketConnectOpts = path
    ? { path }
    : ({
        port: Number(port),
        ...(host ? { host } : {}),
        ...(localAddress ? { localAddress } : {}),
        ...(family ? { family } : {}),
      } satisfies TcpSocketConnectOpts);
  return stream.connect(to);
}

/** TLS by `node:tls` over one of our streams. */
export function openTls(target: Target, options: ConnectorOptions, tls: ConnectionOptions): TLSSocket {
  const { connect } = process.getBuiltinModule('node:tls');
  const stream = openStream(target, options);
  const secure = connect({ ...tls, socket: stream });
  carryTls(stream);
  // What the stream does not survive, TLS does not either; node:tls tells it only while it writes.
  stream.once('error', (error) => secure.destroy(error));
  return secure;
}

/**
 * A stream under TLS must not end with the peer: TLS still says goodbye (close_notify). node:tls takes over whether the
 * stream is half-open when it is given the stream, and then it must not be so because of this: so it is told afterwards.
 */
export function carryTls(stream: SocketDuplex): void {
  stream.allowHalfOpen = true;
}
