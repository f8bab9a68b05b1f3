// µWebSockets.js, whose router and HTTP server are C++: `uws.mjs <folder of the package> http`.
import { bytes, counted, greeting, pieces, postOf, STATIC_TEXT, UPLOAD_BYTES_MAX } from '../javascript/http-app.mjs';
import { servePort } from '../javascript/measure.mjs';
import { importFrom } from '../javascript/packages.mjs';

const [folder] = process.argv.slice(2);
const { default: uws } = await importFrom(folder, 'uWebSockets.js');

const app = uws.App();
const send = (response, type, body) => response.writeHeader('Content-Type', type).end(body);

app.get('/hello/:name', (response, request) => send(response, 'text/plain', greeting(request.getParameter(0))));
app.get('/hello.txt', (response) => send(response, 'text/plain', STATIC_TEXT));
app.get('/users/:user/posts/:post', (response, request) => {
  send(response, 'application/json', JSON.stringify(postOf(request.getParameter(0), request.getParameter(1))));
});
app.get('/bytes/:length', (response, request) => {
  const body = bytes(request.getParameter(0));
  response.onAborted(() => {});
  response.writeHeader('Content-Type', 'application/octet-stream');
  sendLarge(response, body);
});
app.post('/json', (response) => {
  readBody(response, (body) => {
    send(response, 'application/json', JSON.stringify(counted(JSON.parse(body.toString()))));
  });
});
app.post('/upload', (response) => readBody(response, (body) => send(response, 'text/plain', String(body.length))));
app.get('/stream', async (response) => {
  let isOpen = true;
  response.onAborted(() => {
    isOpen = false;
  });
  const parts = [];
  for await (const piece of pieces()) parts.push(piece);
  if (!isOpen) return;
  response.cork(() => {
    for (const part of parts) response.write(part);
    response.end();
  });
});

/** With backpressure, as its documentation shows it. */
function sendLarge(response, body) {
  const [, done] = response.tryEnd(body, body.length);
  if (done) return;
  response.onWritable((offset) => {
    const [, finished] = response.tryEnd(body.subarray(offset), body.length);
    return finished;
  });
}

function readBody(response, done) {
  const chunks = [];
  let length = 0;
  let isOpen = true;
  response.onAborted(() => {
    isOpen = false;
  });
  response.onData((chunk, isLast) => {
    length += chunk.byteLength;
    if (length > UPLOAD_BYTES_MAX) return response.close();
    if (isLast && chunks.length === 0) return done(Buffer.from(chunk));
    // Its memory is taken back after this call.
    chunks.push(Buffer.from(chunk.slice(0)));
    if (isLast && isOpen) response.cork(() => done(Buffer.concat(chunks, length)));
  });
}

app.listen('127.0.0.1', 0, async (socket) => {
  await servePort(uws.us_socket_local_port(socket));
  process.exit(0);
});
