// Each of the requests that are none is refused wherever it is cut; those that look like it are taken.
import { expect, test } from 'vitest';
import { decode } from './codec-events.js';
import { ACCEPTED, REFUSED } from './refused.js';

test.each(REFUSED)('%s (%s)', (_name, _section, bytes, status, reason) => {
  const error = { status, reason };
  expect(decode([bytes]).error).toEqual(error);
  // In front of another request, too: nothing behind it is taken for one.
  const { requests, error: same } = decode([`${bytes}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`]);
  expect(same).toEqual(error);
  expect(requests.map(({ head }) => head.target)).not.toContain('/smuggled');
  if (bytes.length > 1000) return;
  expect(decode([...bytes]).error).toEqual(error);
});

test.each(ACCEPTED)('but not %s', (_name, bytes) => {
  const { requests, error } = decode([bytes]);
  expect(error).toBeNull();
  expect(requests).toHaveLength(1);
  expect(requests[0]?.trailers).toEqual([]);
  expect(decode([...bytes])).toEqual({
    requests: [{ ...requests[0], pieces: expect.any(Number) }],
    error: null,
  });
});
