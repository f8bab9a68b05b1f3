// Which classes the messages of an app have.
//
// Express replaces the prototypes of both messages by its own, for each request. V8 then gives each property that is added
// later a hidden class of its own, every time, which is most of what an Express app costs on node:http. So where an app shows such
// prototypes (`app.request` and `app.response`, as Express does), its messages are born with them, and to replace them
// by themselves changes nothing.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NodeRequest } from './incoming.js';
import { nativeHttp } from './native.js';
import type { NodeResponse } from './outgoing.js';

export interface ResponseOptions {
  readonly highWaterMark: number;
  readonly rejectNonStandardBodyWrites: boolean;
}

export type RequestClass = new (socket: unknown) => NodeRequest;
export type ResponseClass = new (request: NodeRequest, options: ResponseOptions) => NodeResponse;

/** What all messages of a server have in common. */
export interface MessageSettings {
  readonly Request: RequestClass;
  readonly Response: ResponseClass;
  /** Of the constructor. */
  readonly options: ResponseOptions;
}

/** Of what a response holds back before `write` gives false, where it is asked for; the socket has its own. */
const HIGH_WATER_MARK = 64 * 1024;

export interface MessageOptions {
  IncomingMessage?: typeof IncomingMessage | undefined;
  ServerResponse?: typeof ServerResponse | undefined;
  highWaterMark?: number | undefined;
  rejectNonStandardBodyWrites?: boolean | undefined;
}

/** @param app what is called with the messages. */
export function messageSettings(app: unknown, given: MessageOptions = {}): MessageSettings {
  const native = nativeHttp();
  const { request, response } = (app ?? {}) as { request?: unknown; response?: unknown };
  const Request = given.IncomingMessage ?? native.IncomingMessage;
  const Response = given.ServerResponse ?? native.ServerResponse;
  const bornAs = given.IncomingMessage === undefined && given.ServerResponse === undefined;
  return {
    Request: (bornAs && request instanceof native.IncomingMessage ? born(Request, request) : Request) as RequestClass,
    Response: (bornAs && response instanceof native.ServerResponse
      ? born(Response, response)
      : Response) as ResponseClass,
    options: {
      highWaterMark: given.highWaterMark ?? HIGH_WATER_MARK,
      rejectNonStandardBodyWrites: given.rejectNonStandardBodyWrites ?? false,
    },
  };
}

/** A constructor that makes the same, with another prototype. Node's classes can be called, as they call each other. */
function born(made: unknown, prototype: object): unknown {
  const make = made as { call(message: object, ...values: unknown[]): void };
  function Message(this: object, first: unknown, second: unknown): void {
    make.call(this, first, second);
  }
  Message.prototype = prototype;
  return Message;
}
