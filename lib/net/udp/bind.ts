import { isIP } from 'node:net';
import { border } from '../../internal/border.js';
import { withSignal } from '../../internal/cancel.js';
import { checkInteger, invalidType } from '../../internal/errors.js';
import { parseIp } from '../../internal/ip.js';
import { DATAGRAM_BYTES_MAX } from '../../internal/layout.js';
import { Operation, PENDING, REJECTED } from '../../internal/operation.js';
import { handlerContext } from '../../internal/task-context.js';
import type { LookupAddress } from '../dns-cache.js';
import { knownAddresses, Lookup } from '../lookup.js';
import { checkBoolean } from '../options.js';
import { systemError } from '../system-error.js';
import { openUdpMemory } from './memory.js';
import {
  type BindUdpOptions,
  type ConnectUdpOptions,
  checkHostOptions,
  checkUdpOptions,
  type HostOptions,
  type UdpOptions,
} from './options.js';
import { UdpSocket } from './socket.js';

const REUSE_ADDRESS = 1;
const REUSE_PORT = 2;
const IPV6_ONLY = 4;

const ANY: readonly LookupAddress[] = [
  { address: '::', family: 6 },
  { address: '0.0.0.0', family: 4 },
];

/** Tries the addresses of a host, one after the other, until a socket can be made for one. */
abstract class Open extends Operation<UdpSocket> {
  readonly #options: UdpOptions & HostOptions;
  readonly #context = handlerContext();
  #lookup: Lookup | null = null;

  constructor(options: UdpOptions & HostOptions) {
    super();
    this.#options = options;
  }

  /** Makes a socket for one of the addresses, or throws. */
  protected abstract openAt(address: string): UdpSocket;

  protected begin(host: string | undefined): void {
    const { family = 0, lookup } = this.#options;
    if (host === undefined) {
      this.#try(ANY.filter((address) => family === 0 || address.family === family));
      return;
    }
    const known = knownAddresses(host, family, lookup !== undefined);
    if (known !== null) {
      this.#try(known);
      return;
    }
    this.#lookup = new Lookup(host, family, lookup);
    if (this.#lookup.state === PENDING) this.#lookup.addWaiter({ wake: () => this.#lookedUp() });
    else this.#lookedUp();
  }

  protected make(address: string, port: number, flags: number, connected: boolean): UdpSocket {
    openUdpMemory();
    const bytesMax = this.#options.maxDatagramBytes ?? DATAGRAM_BYTES_MAX;
    const handle = border.open().bindDatagrams(address, port, flags, bytesMax);
    if (handle < 0) throw systemError(handle, 'bind', address, port);
    const socket = new UdpSocket(handle, this.#options, connected, this.#context);
    try {
      socket.setOptions(this.#options);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return socket;
  }

  protected onCancel(reason: unknown): void {
    this.#lookup?.cancel(reason);
  }

  protected override giveBack(socket: UdpSocket): void {
    socket.destroy();
  }

  #lookedUp(): void {
    const lookup = this.#lookup as Lookup;
    if (this.state !== PENDING) return;
    if (lookup.state === REJECTED) this.reject(lookup.value);
    else this.#try(lookup.value);
  }

  #try(addresses: readonly LookupAddress[]): void {
    let error: unknown;
    for (const { address } of addresses) {
      try {
        this.fulfill(this.openAt(address));
        return;
      } catch (thrown) {
        error ??= thrown;
      }
    }
    this.reject(error);
  }
}

class Bind extends Open {
  readonly #port: number;
  readonly #flags: number;

  constructor(options: BindUdpOptions) {
    super(options);
    this.#port = options.port ?? 0;
    this.#flags =
      (options.reuseAddr === true ? REUSE_ADDRESS : 0) |
      (options.reusePort === true ? REUSE_PORT : 0) |
      (options.ipv6Only === true ? IPV6_ONLY : 0);
    this.begin(options.host);
  }

  get kind(): string {
    return 'udp.bind';
  }

  protected openAt(address: string): UdpSocket {
    return this.make(address, this.#port, this.#flags, false);
  }
}

class Connect extends Open {
  readonly #options: ConnectUdpOptions;

  constructor(options: ConnectUdpOptions) {
    super(options);
    this.#options = options;
    this.begin(options.host ?? '127.0.0.1');
  }

  get kind(): string {
    return 'udp.connect';
  }

  protected openAt(address: string): UdpSocket {
    const { localAddress, localPort = 0, port } = this.#options;
    const socket = this.make(localAddress ?? (parseIp(address) === 6 ? '::' : '0.0.0.0'), localPort, 0, false);
    try {
      socket.connect({ address, port });
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return socket;
  }
}

/**
 * A UDP socket that sends to and receives from anybody. With a `message` handler it is given every datagram; else take
 * them with `receive()`, `receiveMany()` or `for await`.
 *
 * @example
 * ```ts
 * const server = await bindUdp({
 *   host: '127.0.0.1',
 *   message(socket, datagram) {
 *     socket.send(datagram, datagram); // back to its sender
 *   },
 * });
 * const client = await connectUdp({ host: '127.0.0.1', port: server.port });
 * await client.send('hello');
 * console.log(String(await client.receive())); // hello
 * await client.close();
 * await server.close();
 * ```
 * @throws SystemError with Node's code (`EADDRINUSE`, `EACCES`, ...); the resolver's error; TypeError, RangeError naming the
 * option. Cancelled: AbortError.
 */
export function bindUdp(options: BindUdpOptions = {}): Operation<UdpSocket> {
  checkUdpOptions(options);
  if (options.port !== undefined) checkInteger(options.port, 'options.port', 0, 65535);
  checkHostOptions(options);
  checkBoolean(options.ipv6Only, 'options.ipv6Only');
  checkBoolean(options.reuseAddr, 'options.reuseAddr');
  checkBoolean(options.reusePort, 'options.reusePort');
  return withSignal(new Bind(options), options.signal);
}

/**
 * A UDP socket with one peer: `send` needs no destination, nothing is received from anybody else, and where nobody
 * listens there, the `error` handler or `receive` is told `ECONNREFUSED`.
 *
 * @example
 * ```ts
 * const socket = await connectUdp({ host: '127.0.0.1', port: 9 });
 * await socket.send('is anybody there?');
 * await socket.close();
 * ```
 * @throws SystemError with Node's code (`ENETUNREACH`, ...); the resolver's error; TypeError, RangeError naming the option.
 * Cancelled: AbortError.
 */
export function connectUdp(options: ConnectUdpOptions): Operation<UdpSocket> {
  checkUdpOptions(options);
  checkInteger(options.port, 'options.port', 1, 65535);
  checkHostOptions(options);
  if (options.localPort !== undefined) checkInteger(options.localPort, 'options.localPort', 0, 65535);
  if (
    options.localAddress !== undefined &&
    (typeof options.localAddress !== 'string' || isIP(options.localAddress) === 0)
  )
    throw invalidType('options.localAddress', 'an IP address', options.localAddress);
  return withSignal(new Connect(options), options.signal);
}
