import { checkInteger, invalidType } from '../../internal/errors.js';
import { AddressList } from './address-list.js';

/**
 * Which proxies are believed when they say for whom they speak.
 *
 * - `false` (default): none, and their fields are ignored.
 * - `true`: all. Whoever can connect can claim any address: only where a proxy is the one way in.
 * - a number: so many hops, counted from the server. 1: the proxy that connects to it.
 * - a list of addresses, networks (`10.0.0.0/8`), and `loopback`, `linklocal`, `uniquelocal`.
 * - a function, called with an address and how many hops away it is (0: the one that connects).
 */
export type TrustProxy = boolean | number | string | readonly string[] | ((address: string, hop: number) => boolean);

/** Whether the host at `address`, so many hops away, is believed. */
export type Trust = (address: string, hop: number) => boolean;

/**
 * @returns null for `false`, 0 and an empty list: nobody is believed.
 * @throws TypeError (`ERR_INVALID_ARG_TYPE`), RangeError (`ERR_OUT_OF_RANGE`) naming `name`.
 */
export function trustOf(given: TrustProxy, name: string): Trust | null {
  switch (typeof given) {
    case 'boolean':
      return given ? () => true : null;
    case 'number':
      checkInteger(given, name, 0, 2 ** 31 - 1);
      return given === 0 ? null : (_, hop) => hop < given;
    case 'function':
      return given;
    case 'string':
      return ofList(
        given.split(',').map((entry) => entry.trim()),
        name,
      );
    default:
      if (!Array.isArray(given))
        throw invalidType(name, 'a boolean, a number, a list of addresses or a function', given);
      return given.length === 0 ? null : ofList(given, name);
  }
}

function ofList(entries: readonly string[], name: string): Trust {
  const list = new AddressList(entries, name);
  return (address) => list.has(address);
}
