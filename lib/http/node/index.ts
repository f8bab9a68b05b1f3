// Apps that were written for node:http.
export { type NodeApp, type NodeHandlerOptions, type NodeUpgrade, nodeHandler } from './handler.js';
export type { ListenTarget } from './listen-arguments.js';
export { createServer, NodeServer, type NodeServerOptions, serveNode } from './server.js';
