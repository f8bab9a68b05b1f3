// Server-sent events: everybody hears what one posts, and who comes back hears what he has missed.
// Run: node examples/http-sse.mjs 8080
//   curl -N localhost:8080/events; curl -d 'hello' localhost:8080/say
import { select, sleep } from 'millrace';
import { HttpError, Reply, sendEvents, serve } from 'millrace/http';
import { broadcast, CLOSED, LaggedError } from 'millrace/sync';

const KEPT = 100;
const QUIET_MS = 15_000;

const [news, first] = broadcast(KEPT);
first.close();
// The last ones, for who comes back. Browsers tell the last id that they have seen.
const kept = [];
let lastId = 0;

async function say(request) {
  const text = await request.text();
  if (text === '') throw new HttpError(400, 'Say something');
  const event = { id: String(++lastId), data: text };
  kept.push(event);
  if (kept.length > KEPT) kept.shift();
  return `heard by ${news.send(event)}\n`;
}

function hear(request) {
  const seen = Number(request.headers.get('last-event-id') ?? lastId);
  return sendEvents(function* (events) {
    const receiver = news.subscribe();
    const missed = kept.filter(({ id }) => Number(id) > seen);
    try {
      yield* events.comment('welcome');
      for (const event of missed) yield* events.send(event);
      while (true) {
        // When the client goes, the signal ends the wait; that is no failure.
        const next = { event: receiver.recv(), quiet: sleep(QUIET_MS) };
        const { key, value } = yield* select(next, { signal: events.signal });
        // What says nothing for long is taken for dead by what stands in between.
        if (key === 'quiet') yield* events.comment();
        else if (value === CLOSED) return;
        else yield* events.send(value);
      }
    } catch (error) {
      // Too slow for what is kept: the stream ends, and the client comes back for as much as there is.
      if (!(error instanceof LaggedError)) throw error;
    } finally {
      receiver.close();
    }
  });
}

const page = `<!doctype html>
<title>News</title>
<form><input name="text" autofocus></form> <ol></ol>
<script>
  const show = (text) => document.querySelector('ol').append(Object.assign(document.createElement('li'), { textContent: text }));
  new EventSource('/events').onmessage = ({ data }) => show(data);
  document.querySelector('form').onsubmit = (event) => {
    event.preventDefault();
    fetch('/say', { method: 'POST', body: new FormData(event.target).get('text') });
    event.target.reset();
  };
</script>`;

const server = serve({
  hostname: '127.0.0.1',
  port: Number(process.argv[2] ?? 8080),
  routes: { '/': Reply.html(page), '/events': { GET: hear }, '/say': { POST: say } },
});
await server.ready;
console.log(`listening on 127.0.0.1:${server.port}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    // Streams without end would be waited for: they end here.
    news.close();
    server.close();
  });
}
