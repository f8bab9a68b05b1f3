// Certificates for the tests, made when a test asks for them: X.509 in DER (RFC 5280), written by hand and signed by
// node:crypto. No files, no tools, and nothing that expires.
import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

const DAY_MS = 86_400_000;

export interface Issued {
  readonly name: string;
  readonly privateKey: KeyObject;
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

export interface CertificateOptions {
  /** The common name. */
  name: string;
  /** Default: itself. */
  issuer?: Issued;
  /** May issue others. */
  authority?: boolean;
  /** DNS names and IPv4 addresses. */
  names?: readonly string[];
  /** Days from now; default -1 to 30. */
  from?: number;
  until?: number;
}

function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  if (content.length < 128) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const length: number[] = [];
  for (let left = content.length; left > 0; left >>>= 8) length.unshift(left & 0xff);
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length, ...length]), content]);
}

const sequence = (...items: Buffer[]) => der(0x30, ...items);
const set = (...items: Buffer[]) => der(0x31, ...items);
const utf8 = (text: string) => der(0x0c, Buffer.from(text));
const bits = (bytes: Buffer) => der(0x03, Buffer.from([0]), bytes);
const octets = (bytes: Buffer) => der(0x04, bytes);
const TRUE = der(0x01, Buffer.from([0xff]));

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const number of rest) {
    const group = [number & 0x7f];
    for (let left = number >>> 7; left > 0; left >>>= 7) group.unshift(0x80 | (left & 0x7f));
    bytes.push(...group);
  }
  return der(0x06, Buffer.from(bytes));
}

function time(days: number): Buffer {
  const text = new Date(Date.now() + days * DAY_MS).toISOString();
  return der(0x18, Buffer.from(`${text.slice(0, 19).replace(/[-:T]/g, '')}Z`));
}

const nameOf = (common: string) => sequence(set(sequence(oid('2.5.4.3'), utf8(common))));

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [TRUE] : []), octets(value));
}

function alternative(name: string): Buffer {
  const isAddress = /^\d+\.\d+\.\d+\.\d+$/.test(name);
  return isAddress ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name));
}

const SHA256_WITH_ECDSA = sequence(oid('1.2.840.10045.4.3.2'));

export function certificate(options: CertificateOptions): Issued {
  const { name, issuer, authority = false, names = [], from = -1, until = 30 } = options;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const serial = randomBytes(8);
  serial[0] = 1;
  const extensions = [
    extension('2.5.29.19', true, authority ? sequence(TRUE) : sequence()),
    ...(names.length === 0 ? [] : [extension('2.5.29.17', false, sequence(...names.map(alternative)))]),
  ];
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    SHA256_WITH_ECDSA,
    nameOf(issuer?.name ?? name),
    sequence(time(from), time(until)),
    nameOf(name),
    publicKey,
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', body, issuer?.privateKey ?? privateKey);
  const bytes = sequence(body, SHA256_WITH_ECDSA, bits(signature));
  return {
    name,
    privateKey,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${(bytes.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`,
  };
}

let made: { authority: Issued; server: Issued } | null = null;

/** An authority, and a certificate of it for localhost and 127.0.0.1: one pair for a file of tests. */
export function localhost(): { authority: Issued; server: Issued } {
  if (made === null) {
    const authority = certificate({ name: 'Test Authority', authority: true });
    const server = certificate({ name: 'localhost', issuer: authority, names: ['localhost', '127.0.0.1'] });
    made = { authority, server };
  }
  return made;
}
