// Cookies: those of requests, and those that replies set.
export { type Cookies, parseCookies } from './parse.js';
export { type CookieOptions, removalOfCookie, serializeCookie } from './serialize.js';
