// Uploads of any size: each file is hashed while it comes, and nothing of it is kept.
// Run: node examples/http-upload.mjs 8080
//   curl -F note=hello -F file=@package.json localhost:8080/upload; curl -T package.json localhost:8080/raw
import { createHash } from 'node:crypto';
import { HttpError, Reply, serve } from 'millrace/http';

const [port = '8080', megabytes = '1024'] = process.argv.slice(2);
const FILE_BYTES_MAX = Number(megabytes) * 1_000_000;

const form = `<!doctype html>
<title>Upload</title>
<form method="post" action="/upload" enctype="multipart/form-data">
  <input name="note"> <input name="file" type="file" multiple> <button>Upload</button>
</form>`;

/** Reads a file to its end. The client is held back as soon as we are slower than it is. */
async function digest(pieces) {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > FILE_BYTES_MAX) throw new HttpError(413, `A file may have ${FILE_BYTES_MAX} bytes`);
    hash.update(piece);
  }
  return { bytes, sha256: hash.digest('hex') };
}

async function upload(request) {
  const parts = [];
  // Above a limit the loop throws, which is answered with 413.
  for await (const part of request.multipart({ parts: 20, fieldBytes: 1000, fileBytes: FILE_BYTES_MAX })) {
    // What a client calls a file is text like any other: never a path to write to.
    if (part.isFile) parts.push({ name: part.name, filename: part.filename, ...(await digest(part)) });
    else parts.push({ name: part.name, text: await part.text() });
  }
  return Reply.json(parts);
}

const server = serve({
  hostname: '127.0.0.1',
  port: Number(port),
  // A whole upload may take a while; one that brings less than this is ended with 408.
  limits: { requestMs: 3_600_000, bodyBytesPerSecond: 10_000 },
  routes: {
    '/': Reply.html(form),
    '/upload': { POST: upload },
    '/raw': { PUT: async (request) => Reply.json(await digest(request.body)) },
  },
});
await server.ready;
console.log(`listening on 127.0.0.1:${server.port}`);

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());
