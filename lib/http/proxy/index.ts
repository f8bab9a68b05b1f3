// Behind proxies: whom a request comes from.
export { type Origin, type ProxyOptions, ProxyTrust } from './origin.js';
export type { TrustProxy } from './trust.js';
