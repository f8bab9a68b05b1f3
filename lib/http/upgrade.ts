// An upgrade: the connection becomes another protocol's (RFC 9110, 7.8), or a tunnel (9.3.6).
import type { Buffer } from 'node:buffer';
import { checkInteger } from '../internal/errors.js';
import type { Transport } from './connection-state.js';
import { CONTENT_LENGTH, Fields, type FieldsInit, listMembers, TRANSFER_ENCODING } from './fields/index.js';
import { statusLine } from './status.js';

/** What a connection is handed over with: see `HttpRequest.upgrade`. */
export interface Upgraded {
  /** It is yours: give it handlers, or read from it. */
  readonly socket: Transport;
  /** What was received behind the head of the request already. */
  readonly received: Buffer;
}

export interface UpgradeReply {
  /** Default: 101, or 200 for CONNECT. Null: nothing is sent, what you write is the reply. */
  status?: number | null;
  /** `Upgrade` and `Connection` are there already, with the first protocol that was asked for unless you name one. */
  headers?: FieldsInit;
}

/**
 * The head of the reply that agrees.
 * @param asked the request's Upgrade field, '' for none.
 */
export function upgradeHead(asked: string, status: number, headers: FieldsInit | undefined): string {
  checkInteger(status, 'status', 101, 299);
  const fields = new Fields(headers);
  if (status === 101) {
    if (!fields.has('upgrade')) fields.set('Upgrade', listMembers(asked)[0] ?? '');
    fields.set('Connection', 'Upgrade');
  }
  return `${statusLine(status)}${fields.serialize(CONTENT_LENGTH | TRANSFER_ENCODING)}\r\n`;
}
