import { checkFunction, checkObject } from '../internal/errors.js';
import { Operation, PENDING, REJECTED } from '../internal/operation.js';
import { listen as listenNet } from '../net/listen.js';
import type { Listener } from '../net/listener.js';
import { TlsListener } from './listener.js';
import { type ListenOptions, netOptionsOf, serverSettings } from './options.js';
import type { TlsSettings } from './socket.js';

class Listen extends Operation<TlsListener> {
  readonly #listener: TlsListener;
  readonly #listening: Operation<Listener>;

  constructor(options: ListenOptions, settings: TlsSettings) {
    super();
    this.#listener = new TlsListener(options, settings);
    this.#listening = listenNet({
      ...netOptionsOf(options),
      open: (net) => this.#listener.connected(net),
      closing: () => this.#listener.beginClose(),
    });
    if (this.#listening.state === PENDING) this.#listening.addWaiter({ wake: () => this.#tried() });
    else this.#tried();
  }

  get kind(): string {
    return 'tls.listen';
  }

  protected onCancel(reason: unknown): void {
    this.#listening.cancel(reason);
  }

  protected override giveBack(listener: TlsListener): void {
    listener.close();
  }

  #tried(): void {
    this.#listening.taken = true;
    if (this.#listening.state === REJECTED) {
      this.reject(this.#listening.value);
    } else {
      this.#listener.attach(this.#listening.value);
      this.fulfill(this.#listener);
    }
  }
}

/**
 * Listens for TLS connections. With `open` or `data` handlers, they are given every socket whose handshake has ended well;
 * else take the sockets with `accept()` or `for await`.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { listen } from 'millrace/tls';
 * async function serve(directory: string) {
 *   return listen({
 *     port: 443,
 *     key: await readFile(`${directory}/key.pem`),
 *     cert: await readFile(`${directory}/fullchain.pem`),
 *     data(socket, chunk) {
 *       socket.write(chunk);
 *     },
 *   });
 * }
 * ```
 * @throws as `listen` of `millrace/net`, and what `createSecureContext` throws.
 */
export function listen(options: ListenOptions): Operation<TlsListener> {
  checkObject(options, 'options');
  const settings = serverSettings(options);
  if (options.handshakeError !== undefined) checkFunction(options.handshakeError, 'options.handshakeError');
  if (options.closing !== undefined) checkFunction(options.closing, 'options.closing');
  return new Listen(options, settings);
}
