// millrace/http: an HTTP/1.1 server.
export type { Answer } from './answer.js';
export type { CompressionOptions } from './compression/index.js';
export type { RangeLimits } from './conditional/index.js';
export { type CookieOptions, removalOfCookie, serializeCookie } from './cookies/index.js';
export type { RouteValue, RoutingOptions } from './dispatch.js';
export { type EventProducer, EventWriter, sendEvents } from './events.js';
export {
  type FetchApp,
  type FetchContext,
  type FetchEnv,
  type FetchFunction,
  type FetchHandlerOptions,
  type FetchResult,
  fetchHandler,
  serveFetch,
} from './fetch/index.js';
export { Fields, type FieldsInit, type FieldValue } from './fields/index.js';
export { type DirectoryFileOptions, type FileOptions, sendFile, serveFiles } from './file-reply.js';
export type { DirectoryOptions } from './files/index.js';
export type { FormLimits, Multipart, Part } from './forms/index.js';
export { HttpError, type HttpErrorOptions } from './http-errors.js';
export type { HttpLimits } from './limits.js';
export type { Distribution, ReplyCount, ServerStats } from './metrics/index.js';
export { type Coding, preferredLanguage, preferredType } from './negotiation.js';
export {
  createServer,
  type ListenTarget,
  type NodeApp,
  type NodeHandlerOptions,
  NodeServer,
  type NodeServerOptions,
  type NodeUpgrade,
  nodeHandler,
  serveNode,
} from './node/index.js';
export type { Origin, ProxyOptions, TrustProxy } from './proxy/index.js';
export { type BodyProducer, type Piece, Reply, type ReplyBody, type ReplyInit } from './reply.js';
export type { ReplyWriter } from './reply-writer.js';
export type { HttpRequest } from './request.js';
export type { RequestBody } from './request-body.js';
export type { RequestHeaders } from './request-headers.js';
export type { MethodTable, RouteParameters, Routes, RouteTarget } from './routing/index.js';
export { type HttpServer, type ServeOptions, type ServerCloseOptions, serve } from './server.js';
export type { AccessEntry, AccessLog, ErrorHandler, Handler } from './server-core.js';
export type { ServerSentEvent } from './sse.js';
export type { Upgraded, UpgradeReply } from './upgrade.js';
