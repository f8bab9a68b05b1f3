import { describe, expect, test } from 'vitest';
import {
  DURATION_BOUNDS_MS,
  Exposition,
  Histogram,
  prometheusText,
  ReplyCounts,
  type ServerStats,
} from '../../../lib/http/metrics/index.js';

function statsOf(fill: (durations: Histogram, replies: ReplyCounts) => void): ServerStats {
  const durations = new Histogram();
  const replies = new ReplyCounts();
  fill(durations, replies);
  return {
    uptimeMs: 61_500,
    connections: { open: 3, total: 10 },
    requests: { total: 7, inFlight: 2, static: 1, failed: 0, aborted: 1 },
    replies: replies.list(),
    durationMs: durations.distribution(DURATION_BOUNDS_MS),
    bytes: { received: 1000, sent: 123_456_789_012 },
    rejections: { 'uri-too-long': 4, overload: 5 },
    queue: { length: 0, waitMs: new Histogram().distribution(DURATION_BOUNDS_MS) },
  };
}

/** Every line, read by the format's grammar. */
function parse(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  const families = new Set<string>();
  let family = '';
  expect(text.endsWith('\n')).toBe(true);
  for (const line of text.slice(0, -1).split('\n')) {
    const help = /^# HELP ([a-zA-Z_:][\w:]*) .+$/.exec(line);
    if (help !== null) {
      family = help[1] as string;
      expect(families.has(family), family).toBe(false);
      families.add(family);
      continue;
    }
    if (line.startsWith('#')) {
      expect(line).toMatch(new RegExp(`^# TYPE ${family} (?:counter|gauge|histogram)$`));
      continue;
    }
    const found = /^([\w:]+(?:\{\w+="(?:[^"\\\n]|\\["\\n])*"(?:,\w+="(?:[^"\\\n]|\\["\\n])*")*\})?) (\S+)$/.exec(line);
    expect(found, line).not.toBeNull();
    const [, name, value] = found as unknown as [string, string, string];
    expect(name.startsWith(family)).toBe(true);
    expect(samples.has(name), name).toBe(false);
    samples.set(name, Number(value.replace('Inf', 'Infinity')));
  }
  return samples;
}

describe('the stats of a server', () => {
  test('are told in the text format of Prometheus', () => {
    const samples = parse(
      prometheusText(
        statsOf((durations, replies) => {
          replies.add('GET', 200, 3);
          replies.add('GET', 404);
          replies.add('BREW', 418);
          replies.add('PROPFIND', 405);
          for (const ms of [0.2, 0.2, 7, 700]) durations.record(ms);
        }),
      ),
    );
    expect(Object.fromEntries(samples)).toMatchObject({
      millrace_http_requests_total: 7,
      'millrace_http_replies_total{method="GET",status="2xx"}': 3,
      'millrace_http_replies_total{method="GET",status="4xx"}': 1,
      'millrace_http_replies_total{method="other",status="4xx"}': 2,
      millrace_http_requests_in_flight: 2,
      'millrace_http_rejections_total{reason="uri-too-long"}': 4,
      'millrace_http_rejections_total{reason="overload"}': 5,
      millrace_http_sent_bytes_total: 123_456_789_012,
      millrace_http_uptime_seconds: 61.5,
      'millrace_http_request_duration_seconds_bucket{le="0.0001"}': 0,
      'millrace_http_request_duration_seconds_bucket{le="0.00025"}': 2,
      'millrace_http_request_duration_seconds_bucket{le="0.01"}': 3,
      'millrace_http_request_duration_seconds_bucket{le="1"}': 4,
      'millrace_http_request_duration_seconds_bucket{le="+Inf"}': 4,
      millrace_http_request_duration_seconds_count: 4,
    });
    expect(samples.get('millrace_http_request_duration_seconds_sum')).toBeCloseTo(0.7074, 9);
  });

  test('have buckets that never fall', () => {
    const samples = parse(
      prometheusText(statsOf((durations) => [...Array(500).keys()].forEach((i) => void durations.record(i * i)))),
    );
    const buckets = [...samples].filter(([name]) => name.startsWith('millrace_http_request_duration_seconds_bucket'));
    expect(buckets).toHaveLength(DURATION_BOUNDS_MS.length + 1);
    for (const [i, [, count]] of buckets.entries())
      if (i > 0) expect(count).toBeGreaterThanOrEqual(buckets[i - 1]?.[1] ?? 0);
  });

  test('of a server that has done nothing are zero', () => {
    expect(parse(prometheusText(statsOf(() => {}))).get('millrace_http_request_duration_seconds_count')).toBe(0);
  });
});

describe('the text format', () => {
  test('escapes what labels and help may contain', () => {
    const text = new Exposition().family('a', 'gauge', 'one\\two\nthree "q"').sample(1, { l: 'a"b\\c\nd' });
    expect(text.toString()).toBe('# HELP a one\\\\two\\nthree "q"\n# TYPE a gauge\na{l="a\\"b\\\\c\\nd"} 1\n');
  });

  test('has words for numbers that are none', () => {
    const text = new Exposition().family('a', 'gauge', 'x').sample(Number.POSITIVE_INFINITY).toString();
    expect(text).toContain('a +Inf\n');
    expect(new Exposition().single('a', 'gauge', 'x', Number.NEGATIVE_INFINITY).toString()).toContain('a -Inf\n');
    expect(new Exposition().single('a', 'gauge', 'x', Number.NaN).toString()).toContain('a NaN\n');
  });

  test('refuses names that are none, and a family that is there already', () => {
    expect(() => new Exposition().family('a b', 'gauge', '')).toThrow(RangeError);
    expect(() => new Exposition().family('a', 'gauge', '').family('a', 'gauge', '')).toThrow(
      '"a" cannot name a metric',
    );
    expect(() => new Exposition().family('a', 'gauge', '').sample(1, { 'a-b': '' })).toThrow('cannot name a label');
  });
});

test('replies are counted by method and class; methods without number are one', () => {
  const counts = new ReplyCounts();
  for (let i = 0; i < 1000; i++) counts.add(`M${i}`, 200);
  counts.add('GET', 599);
  counts.add('GET', 0);
  counts.add('POST', 101, 2);
  expect(counts.list()).toEqual([
    { method: 'GET', status: '0xx', count: 1 },
    { method: 'GET', status: '5xx', count: 1 },
    { method: 'POST', status: '1xx', count: 2 },
    { method: 'other', status: '2xx', count: 1000 },
  ]);
  expect(counts.total()).toBe(1004);
});

test('a status that only apps of node:http send does not count for another method', () => {
  const counts = new ReplyCounts();
  counts.add('GET', 999);
  counts.add('strange', 700);
  expect(counts.list()).toEqual([
    { method: 'GET', status: '9xx', count: 1 },
    { method: 'other', status: '7xx', count: 1 },
  ]);
  expect(counts.total()).toBe(2);
});
