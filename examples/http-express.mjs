// An Express app, as it is, on Millrace. Run: npm install express; node examples/http-express.mjs 8080
import express from 'express';
import { runtimeInfo } from 'millrace';
import { createServer } from 'millrace/http';

const app = express();
const notes = new Map();

app.use(express.json({ limit: '10kb' }));

app.get('/notes', (_request, response) => {
  response.json([...notes.keys()]);
});

app
  .route('/notes/:name')
  .get((request, response) => {
    const note = notes.get(request.params.name);
    if (note === undefined) return response.sendStatus(404);
    response.json(note);
  })
  .put((request, response) => {
    notes.set(request.params.name, request.body);
    response.status(201).location(request.originalUrl).json(request.body);
  });

app.get('/fail', async () => {
  throw new Error('something broke');
});

app.use((error, _request, response, _next) => {
  response.status(error.status ?? 500).json({ error: error.message });
});

// In the place of app.listen, or of http.createServer(app).listen.
const server = createServer(app).listen(Number(process.argv[2] ?? 8080), '127.0.0.1', () => {
  console.log(`listening on 127.0.0.1:${server.address().port} (${runtimeInfo().backend})`);
});

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());
