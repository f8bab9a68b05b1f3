// Routing: patterns compiled once, and what a request's method, host and path lead to.
export type { MethodTable, RouteTarget } from './endpoint.js';
export { hostName } from './hosts.js';
export { type RouteKind, RouteMatch, type RouteParameters } from './match.js';
export { allowOf, type RouteEntry, type Routes, RouteTable, type RouteTableOptions } from './table.js';
