// How requests and responses end: the events that node:http has for it, in its order, and no turn of the event loop where
// nobody listens.
//
// - 'finish' comes in a later turn, in the async context of the `end` that led to it; then the request is let go, and in
//   the turn after that 'close' comes.
// - Where nobody listened when the reply ended, all those of a tick are ended together: then there may still be listeners.
import { channel } from 'node:diagnostics_channel';
import { type Runnable, scheduler } from '../../internal/scheduler.js';
import { abortIncoming, dump } from './incoming.js';
import { nativeHttp } from './native.js';
import type { NodeReply } from './outgoing.js';

const responseFinished = channel('http.server.response.finish');

class Endings implements Runnable {
  #replies: NodeReply[] = [];

  add(reply: NodeReply): void {
    if (this.#replies.push(reply) === 1) scheduler.enqueue(this);
  }

  run(): void {
    const replies = this.#replies;
    this.#replies = [];
    for (const reply of replies) {
      if (isHeard(reply)) process.nextTick(finish, reply);
      else letGo(reply);
    }
  }
}

const endings = new Endings();

/** All of a reply was handed to the socket. */
export function finishLater(reply: NodeReply): void {
  if (isHeard(reply)) process.nextTick(finish, reply);
  else endings.add(reply);
}

/** The connection has gone before the reply was complete. */
export function gone(reply: NodeReply): void {
  const { request, response } = reply;
  if (response._closed) return;
  if (!request.destroyed) abortIncoming(request);
  close(reply);
}

/** The app has failed: it will not answer. */
export function leave(reply: NodeReply): void {
  dump(reply.request);
  detach(reply);
  close(reply);
}

function isHeard({ request, response }: NodeReply): boolean {
  return response._eventsCount > 0 || request._eventsCount > 0 || responseFinished.hasSubscribers;
}

function finish(reply: NodeReply): void {
  const { request, response, socket } = reply;
  if (response._closed) return;
  response._finish();
  markFinished(reply);
  response.emit('finish');
  if (responseFinished.hasSubscribers) {
    responseFinished.publish({ request, response, socket, server: socket.server });
  }
  dump(request);
  detach(reply);
  process.nextTick(close, reply);
}

function letGo(reply: NodeReply): void {
  const { request, response } = reply;
  dump(request);
  detach(reply);
  markFinished(reply);
  response.destroyed = true;
  response._closed = true;
}

function markFinished({ response }: NodeReply): void {
  const { writableFinished } = nativeHttp();
  if (writableFinished !== null) response[writableFinished] = true;
}

function detach({ request, response, socket }: NodeReply): void {
  if (socket._httpMessage === response) socket._httpMessage = null;
  if (socket.incoming === request) socket.rest();
  response.socket = null as never;
}

function close({ response }: NodeReply): void {
  if (response._closed) return;
  response.destroyed = true;
  response._closed = true;
  response.emit('close');
}
