import { checkInteger, checkObject, invalidType, outOfRange } from '../../internal/errors.js';
import { isToken } from '../fields/index.js';
import { invalidField } from '../http-errors.js';

/** Attributes of a cookie (RFC 6265, 4.1, and the draft that follows it). */
export interface CookieOptions {
  /** Below which path it is sent: begins with `/`. Default: where it was set. */
  path?: string;
  /** The host, with all below it, that it is sent to. Default: the host that set it, alone. */
  domain?: string;
  /** Seconds that it lives; 0 or less removes it. Default: until the browser is closed. */
  maxAge?: number;
  /** When it ends. `maxAge` goes before. */
  expires?: Date;
  /** Scripts cannot read it. */
  httpOnly?: boolean;
  /** It is sent over HTTPS only. */
  secure?: boolean;
  /** Whether it is sent with requests that other sites cause. `none` needs `secure`. */
  sameSite?: 'strict' | 'lax' | 'none';
  /** Kept apart for each site that embeds this one (CHIPS). Needs `secure`. */
  partitioned?: boolean;
}

const SAME_SITE = { strict: 'Strict', lax: 'Lax', none: 'None' } as const;

/** What browsers keep of a name with its value, and of an attribute; beyond that they drop the cookie, in silence. */
const PAIR_BYTES_MAX = 4096;
const ATTRIBUTE_BYTES_MAX = 1024;

/** Labels of letters, digits and hyphens. A dot before them is left from RFC 2109, and means nothing. */
const DOMAIN = /^\.?[a-z\d](?:[a-z\d-]*[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]*[a-z\d])?)*$/i;
/** av-octet (RFC 6265, 4.1.1, with its erratum). */
const PATH = /^\/[\x20-\x3a\x3c-\x7e]*$/;
/** What must be encoded: all but cookie-octet, and the percent sign itself. */
const UNSAFE = /[^!#$&-+\--:<-[\]-~]/gu;

/**
 * The value of a Set-Cookie field. What a cookie's value may not contain is percent-encoded, which `parseCookies` undoes.
 *
 * @example
 * ```ts
 * console.log(serializeCookie('id', 'a b', { path: '/', httpOnly: true, sameSite: 'lax' }));
 * // id=a%20b; Path=/; HttpOnly; SameSite=Lax
 * ```
 * @throws TypeError `ERR_MILLRACE_HTTP_FIELD` if the name is no token, an attribute is malformed, or attributes exclude each
 * other so that browsers would drop the cookie: `__Host-` and `__Secure-` names without what they promise, `sameSite: 'none'`
 * or `partitioned` without `secure`. `ERR_INVALID_ARG_TYPE` for a wrong type. RangeError (`ERR_OUT_OF_RANGE`) for a
 * `maxAge` that is no integer, or more than the 4,096 bytes that browsers keep.
 */
export function serializeCookie(name: string, value: string, options: CookieOptions = {}): string {
  if (typeof name !== 'string') throw invalidType('name', 'a string', name);
  if (typeof value !== 'string') throw invalidType('value', 'a string', value);
  checkObject(options, 'options');
  if (!isToken(name)) throw invalidField(`A cookie's name must be a token; got ${JSON.stringify(name)}`);
  const pair = `${name}=${encode(value)}`;
  if (pair.length - 1 > PAIR_BYTES_MAX) {
    throw outOfRange('value', `short enough for ${PAIR_BYTES_MAX} bytes with its name`, pair.length - 1);
  }
  checkTogether(name, options);
  return pair + attributesOf(options);
}

/**
 * The value of a Set-Cookie field that removes a cookie: `path` and `domain` have to be those that it was set with.
 * @throws as `serializeCookie` does.
 */
export function removalOfCookie(name: string, options: CookieOptions = {}): string {
  return serializeCookie(name, '', { ...options, maxAge: 0, expires: new Date(0) });
}

function attributesOf(options: CookieOptions): string {
  const { path, domain, maxAge, expires, sameSite } = options;
  let text = '';
  if (maxAge !== undefined) {
    checkInteger(maxAge, 'options.maxAge', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    text += `; Max-Age=${maxAge}`;
  }
  if (domain !== undefined) text += `; Domain=${checkText(domain, 'domain', DOMAIN, 'the name of a host')}`;
  if (path !== undefined)
    text += `; Path=${checkText(path, 'path', PATH, "a path, without ';' and control characters")}`;
  if (expires !== undefined) {
    if (!(expires instanceof Date)) throw invalidType('options.expires', 'a Date', expires);
    if (Number.isNaN(expires.getTime())) throw invalidField('options.expires must be a Date that is valid');
    text += `; Expires=${expires.toUTCString()}`;
  }
  if (options.httpOnly === true) text += '; HttpOnly';
  if (options.secure === true) text += '; Secure';
  if (sameSite !== undefined) {
    const word: string | undefined = Object.hasOwn(SAME_SITE, sameSite) ? SAME_SITE[sameSite] : undefined;
    if (word === undefined) throw outOfRange('options.sameSite', "'strict', 'lax' or 'none'", sameSite);
    text += `; SameSite=${word}`;
  }
  if (options.partitioned === true) text += '; Partitioned';
  return text;
}

/** What browsers would drop is an error here, where somebody sees it. */
function checkTogether(name: string, options: CookieOptions): void {
  for (const flag of ['httpOnly', 'secure', 'partitioned'] as const) {
    const value = options[flag];
    if (value !== undefined && typeof value !== 'boolean') throw invalidType(`options.${flag}`, 'a boolean', value);
  }
  const secure = options.secure === true;
  if (options.sameSite === 'none' && !secure) throw invalidField("A cookie with sameSite 'none' must be secure");
  if (options.partitioned === true && !secure) throw invalidField('A cookie that is partitioned must be secure');
  // Browsers look at prefixes without regard to case.
  if (/^__(?:secure|host)-/i.test(name) && !secure) throw invalidField(`The cookie ${name} must be secure`);
  if (/^__host-/i.test(name) && (options.domain !== undefined || options.path !== '/')) {
    throw invalidField(`The cookie ${name} must have the path '/' and no domain`);
  }
}

function checkText(value: string, name: 'domain' | 'path', allowed: RegExp, expected: string): string {
  if (typeof value !== 'string') throw invalidType(`options.${name}`, 'a string', value);
  if (value.length > ATTRIBUTE_BYTES_MAX) {
    throw outOfRange(`options.${name}`, `at most ${ATTRIBUTE_BYTES_MAX} characters`, value.length);
  }
  if (!allowed.test(value)) throw invalidField(`options.${name} must be ${expected}; got ${JSON.stringify(value)}`);
  return value;
}

function encode(value: string): string {
  try {
    return value.replace(UNSAFE, encodeURIComponent);
  } catch {
    throw invalidField("A cookie's value must not contain half of a surrogate pair");
  }
}
