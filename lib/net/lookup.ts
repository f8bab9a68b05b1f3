import { isIP } from 'node:net';
import { Operation } from '../internal/operation.js';

/** The addresses of a host by Node's resolver; an IP address is its own, without a lookup. */
export class Lookup extends Operation<string[]> {
  constructor(host: string) {
    super();
    if (isIP(host) !== 0) {
      this.fulfill([host]);
      return;
    }
    import('node:dns').then((dns) => {
      if (this.state !== 0) return;
      dns.lookup(host, { all: true }, (error, found) => {
        if (error === null) this.fulfill(found.map(({ address }) => address));
        else this.reject(error);
      });
    });
  }

  get kind(): string {
    return 'net.lookup';
  }

  /** A lookup cannot be called back: its answer is not waited for any more. */
  protected onCancel(): void {}
}
