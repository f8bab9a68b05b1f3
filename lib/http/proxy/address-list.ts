// Addresses and networks (CIDR) that are believed.
import { invalidType } from '../../internal/errors.js';
import { parsed, parseIp } from '../../internal/ip.js';

/** As `proxy-addr` and Express name them. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

interface Network {
  readonly family: 4 | 6;
  readonly bytes: Uint8Array;
  readonly bits: number;
}

export class AddressList {
  readonly #networks: readonly Network[];

  /**
   * @param entries addresses, networks (`10.0.0.0/8`), `loopback`, `linklocal`, `uniquelocal`.
   * @throws TypeError (`ERR_INVALID_ARG_TYPE`) naming `name` and the entry.
   */
  constructor(entries: readonly string[], name: string) {
    this.#networks = entries.flatMap((entry) => {
      if (typeof entry !== 'string') throw invalidType(name, 'a list of addresses and networks', entry);
      const texts = Object.hasOwn(NAMED, entry) ? (NAMED[entry] as readonly string[]) : [entry];
      return texts.map((text) => networkOf(text, name));
    });
  }

  /** An IPv4 address within IPv6 (`::ffff:1.2.3.4`) is that IPv4 address. False for what is no address. */
  has(address: string): boolean {
    const family = parseIp(address);
    if (family === 0) return false;
    const bytes = bytesOfParsed(family);
    return this.#networks.some((network) => network.family === family && contains(network, bytes));
  }
}

function networkOf(text: string, name: string): Network {
  const slash = text.indexOf('/');
  const family = parseIp(slash < 0 ? text : text.slice(0, slash));
  const all = family === 4 ? 32 : 128;
  const prefix = slash < 0 ? String(all) : text.slice(slash + 1);
  const mapped = family === 4 && text.includes(':');
  const bits = Number(prefix) - (mapped && slash >= 0 ? 96 : 0);
  if (family === 0 || !/^\d{1,3}$/.test(prefix) || bits < 0 || bits > all) {
    throw invalidType(
      name,
      'made of IP addresses, networks such as 10.0.0.0/8, loopback, linklocal and uniquelocal',
      text,
    );
  }
  return { family, bytes: Uint8Array.from(bytesOfParsed(family)), bits };
}

/** Good until the next address is parsed. */
function bytesOfParsed(family: 4 | 6): Uint8Array {
  return new Uint8Array(parsed.buffer, 0, family === 4 ? 4 : 16);
}

function contains({ bytes, bits }: Network, address: Uint8Array): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (bytes[i] !== address[i]) return false;
  const rest = bits & 7;
  return rest === 0 || ((bytes[whole] as number) ^ (address[whole] as number)) >> (8 - rest) === 0;
}
