// A JSON API: routes with parameters, methods, validation, and every error as JSON too (RFC 9457).
// Run: node examples/http-json-api.mjs 8080
//   curl -i localhost:8080/notes -H 'content-type: application/json' -d '{"text":"buy milk"}'
import { wait } from 'millrace';
import { HttpError, Reply, serve } from 'millrace/http';

const notes = new Map();
let lastId = 0;

function list(request) {
  const word = request.query.get('word');
  const found = [...notes.values()].filter(({ text }) => word === null || text.includes(word));
  return Reply.json(found);
}

async function create(request) {
  const { text, done = false } = await noteOf(request);
  const note = { id: ++lastId, text, done };
  notes.set(note.id, note);
  return Reply.json(note, { status: 201, headers: { Location: `/notes/${note.id}` } });
}

// A fiber does as well as an async function: it waits with yield*.
function* change(request) {
  const note = find(request);
  const { text, done = note.done } = yield* wait(noteOf(request));
  Object.assign(note, { text, done });
  return Reply.json(note);
}

function remove(request) {
  notes.delete(find(request).id);
  return new Reply(null, { status: 204 });
}

function find(request) {
  const note = notes.get(Number(request.params.id));
  if (note === undefined) throw new HttpError(404, `There is no note ${request.params.id}`);
  return note;
}

/** The body, if it is a note. What comes from outside is looked at before anything is done with it. */
async function noteOf(request) {
  if (!/^application\/json *(;|$)/i.test(request.contentType ?? '')) throw new HttpError(415, 'Send application/json');
  // 400 for what is no JSON, 413 above `limits.bodyBytes`: these are HttpErrors, too.
  const note = await request.json();
  if (typeof note?.text !== 'string' || note.text === '') throw new HttpError(422, 'text must be a string, not empty');
  if (!['boolean', 'undefined'].includes(typeof note.done)) throw new HttpError(422, 'done must be a boolean');
  return note;
}

const server = serve({
  hostname: '127.0.0.1',
  port: Number(process.argv[2] ?? 8080),
  limits: { bodyBytes: 10_000 },
  routes: {
    // Not a handler but the reply itself: C++ answers it.
    '/health': 'well',
    // Other methods get 405 with Allow; HEAD goes to GET, and OPTIONS is answered.
    '/notes': { GET: list, POST: create },
    '/notes/:id': { GET: (request) => Reply.json(find(request)), PUT: change, DELETE: remove },
  },
  error(error) {
    // What is thrown on is answered with 500, and told to `handlerError`.
    if (!(error instanceof HttpError)) throw error;
    const { status, publicMessage: detail, headers } = error;
    return Reply.json(
      { status, detail },
      { status, headers: { ...headers, 'Content-Type': 'application/problem+json' } },
    );
  },
  handlerError(error, request) {
    console.error(request.method, request.path, error);
  },
});
await server.ready;
console.log(`listening on 127.0.0.1:${server.port}`);

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());
