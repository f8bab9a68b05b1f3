// millrace/http: an HTTP/1.1 server.
export type { Answer } from './answer.js';
export { type CookieOptions, removalOfCookie, serializeCookie } from './cookies/index.js';
export type { RouteValue, RoutingOptions } from './dispatch.js';
export { Fields, type FieldsInit, type FieldValue } from './fields/index.js';
export { type DirectoryFileOptions, type FileOptions, sendFile, serveFiles } from './file-reply.js';
export type { FormLimits, Multipart, Part } from './forms/index.js';
export { HttpError, type HttpErrorOptions } from './http-errors.js';
export type { HttpLimits } from './limits.js';
export { Reply, type ReplyBody, type ReplyInit } from './reply.js';
export type { ReplyWriter } from './reply-writer.js';
export type { HttpRequest, Upgraded, UpgradeReply } from './request.js';
export type { RequestBody } from './request-body.js';
export type { RequestHeaders } from './request-headers.js';
export { type HttpServer, type ServeOptions, type ServerCloseOptions, serve } from './server.js';
export type { AccessEntry, AccessLog, ErrorHandler, Handler } from './server-core.js';
export type { ServerStats } from './server-stats.js';
