import { Exposition } from './exposition.js';
import type { ServerStats } from './stats.js';

/**
 * The stats of a server as Prometheus scrapes them: text format 0.0.4, whose Content-Type is `EXPOSITION_TYPE`. `durationMs` and
 * `queue.waitMs` have to be made with `DURATION_BOUNDS_MS`, or other bounds of one's own.
 */
export function prometheusText(stats: ServerStats): string {
  const { connections, requests, replies, durationMs, bytes, rejections, queue } = stats;
  const text = new Exposition();
  const counter = (name: string, help: string, value: number): Exposition =>
    text.single(`millrace_http_${name}`, 'counter', help, value);
  const gauge = (name: string, help: string, value: number): Exposition =>
    text.single(`millrace_http_${name}`, 'gauge', help, value);
  counter('requests_total', 'Requests whose head was understood.', requests.total);
  text.family('millrace_http_replies_total', 'counter', 'Replies by method and class of status.');
  for (const { method, status, count } of replies) text.sample(count, { method, status });
  text.histogram(
    'millrace_http_request_duration_seconds',
    'Time from the bytes that brought a head to the end of the reply.',
    durationMs,
    0.001,
  );
  gauge('requests_in_flight', 'Handlers that have not answered yet.', requests.inFlight);
  counter('static_replies_total', 'Requests answered without a handler.', requests.static);
  counter('handler_errors_total', 'Handlers that threw.', requests.failed);
  counter('requests_aborted_total', 'Requests whose peer had gone before the reply was complete.', requests.aborted);
  text.family('millrace_http_rejections_total', 'counter', 'What was refused without a handler, by reason.');
  for (const [reason, count] of Object.entries(rejections)) text.sample(count, { reason });
  gauge('connections', 'Connections that are open.', connections.open);
  counter('connections_total', 'Connections that were accepted.', connections.total);
  counter('received_bytes_total', 'Bytes received.', bytes.received);
  counter('sent_bytes_total', 'Bytes sent.', bytes.sent);
  gauge('queue_length', 'Requests that wait for a handler.', queue.length);
  text.histogram(
    'millrace_http_queue_wait_seconds',
    'Time that requests have waited for a handler.',
    queue.waitMs,
    0.001,
  );
  gauge('uptime_seconds', 'Time since the server was started.', stats.uptimeMs / 1000);
  return text.toString();
}
