// node:http, with its routes told apart by hand: there is no router in it.
import { createServer } from 'node:http';
import {
  bytes,
  counted,
  greeting,
  IDLE_SECONDS,
  pieces,
  postOf,
  postPath,
  STATIC_TEXT,
  UPLOAD_BYTES_MAX,
} from '../javascript/http-app.mjs';
import { servePort } from '../javascript/measure.mjs';

export async function http() {
  await listen(createServer(answer));
}

/** Serves until standard input is closed. */
export async function listen(server) {
  server.keepAliveTimeout = IDLE_SECONDS * 1_000;
  await new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  await servePort(server.address().port);
  process.exit(0);
}

function answer(request, response) {
  const { method, url } = request;
  if (method === 'GET') {
    if (url.startsWith('/hello/')) return send(response, 200, 'text/plain', greeting(url.slice('/hello/'.length)));
    const post = postPath(url);
    if (post !== null) return send(response, 200, 'application/json', JSON.stringify(postOf(...post)));
    if (url.startsWith('/bytes/')) {
      return send(response, 200, 'application/octet-stream', bytes(url.slice('/bytes/'.length)));
    }
    if (url === '/hello.txt') return send(response, 200, 'text/plain', STATIC_TEXT);
    if (url === '/stream') return stream(response);
  }
  if (method === 'POST') {
    if (url === '/json') {
      return readBody(request, response, (body) =>
        send(response, 200, 'application/json', JSON.stringify(counted(JSON.parse(body.toString())))),
      );
    }
    if (url === '/upload') {
      return readBody(request, response, (body) => send(response, 200, 'text/plain', String(body.length)));
    }
  }
  send(response, 404, 'text/plain', 'not here');
}

function send(response, status, type, body) {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

function readBody(request, response, done) {
  const chunks = [];
  let length = 0;
  request.on('data', (chunk) => {
    length += chunk.length;
    if (length <= UPLOAD_BYTES_MAX) chunks.push(chunk);
  });
  request.on('end', () => {
    if (length > UPLOAD_BYTES_MAX) return send(response, 413, 'text/plain', 'too large');
    done(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length));
  });
}

async function stream(response) {
  response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
  for await (const piece of pieces()) {
    if (!response.write(piece)) await new Promise((resolve) => response.once('drain', resolve));
  }
  response.end();
}
