// Deno.serve: `deno run main.mjs http`. It has no router of its own; paths are told apart by hand.
import {
  bytes,
  counted,
  greeting,
  postOf,
  postPath,
  STATIC_TEXT,
  streamOfPieces,
  UPLOAD_BYTES_MAX,
} from '../javascript/http-app.mjs';
import { servePort } from '../javascript/measure.mjs';

const PLAIN = { headers: { 'Content-Type': 'text/plain' } };
const BINARY = { headers: { 'Content-Type': 'application/octet-stream' } };

async function answer(request) {
  const { method } = request;
  const { pathname } = new URL(request.url);
  if (method === 'POST') {
    if (pathname === '/json') return Response.json(counted(await request.json()));
    if (pathname === '/upload') return upload(request);
  }
  return notFound();
}

/** What needs no waiting has no promise. */
function handle(request) {
  if (request.method !== 'GET') return answer(request);
  const { pathname } = new URL(request.url);
  if (pathname.startsWith('/hello/')) return new Response(greeting(pathname.slice('/hello/'.length)), PLAIN);
  const post = postPath(pathname);
  if (post !== null) return Response.json(postOf(...post));
  if (pathname.startsWith('/bytes/')) return new Response(bytes(pathname.slice('/bytes/'.length)), BINARY);
  if (pathname === '/hello.txt') return new Response(STATIC_TEXT, PLAIN);
  if (pathname === '/stream') return new Response(streamOfPieces(), BINARY);
  return notFound();
}

async function upload(request) {
  const body = await request.arrayBuffer();
  if (body.byteLength > UPLOAD_BYTES_MAX) return new Response('too large', { status: 413 });
  return new Response(String(body.byteLength), PLAIN);
}

function notFound() {
  return new Response('not here', { status: 404 });
}

const { promise: listening, resolve: onListen } = Promise.withResolvers();
Deno.serve({ hostname: '127.0.0.1', port: 0, onListen }, handle);
const { port } = await listening;
await servePort(port);
Deno.exit(0);
