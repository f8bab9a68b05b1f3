import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeEvent, type ServerSentEvent } from '../../lib/http/sse.js';

interface Seen {
  type: string;
  data: string;
  id: string;
}

/** What a client sees (WHATWG HTML, 9.2.6). */
function read(stream: string): { events: Seen[]; retry: number | undefined } {
  const events: Seen[] = [];
  let [data, type, id, retry] = ['', '', '', undefined as number | undefined];
  for (const line of stream.split(/\r\n|\r|\n/).slice(0, -1)) {
    if (line === '') {
      if (data !== '') events.push({ type: type === '' ? 'message' : type, data: data.slice(0, -1), id });
      [data, type] = ['', ''];
      continue;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') data += `${value}\n`;
    else if (field === 'event') type = value;
    else if (field === 'id' && !value.includes('\0')) id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) retry = Number(value);
  }
  return { events, retry };
}

describe('an event', () => {
  test('is lines that end with an empty one', () => {
    expect(encodeEvent({ data: 'x' })).toBe('data: x\n\n');
    expect(encodeEvent({ comment: 'alive', event: 'e', id: '1', retry: 500, data: 'a\r\nb\rc\n' })).toBe(
      ': alive\nevent: e\nid: 1\nretry: 500\ndata: a\ndata: b\ndata: c\ndata: \n\n',
    );
    expect(encodeEvent({ comment: 'a\nevent: x' })).toBe(': a\n: event: x\n\n');
  });

  test('any: the client sees it, and nothing else', () => {
    const line = fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n\0]/.test(text));
    const data = fc
      .array(fc.oneof(fc.constantFrom('\n', '\r', '\r\n', 'data: x', '\n\nevent: y\n', ' '), line))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(data, line, line, fc.nat(), data, (data, event, id, retry, comment) => {
        const seen = read(encodeEvent({ data, event, id, retry, comment }) + encodeEvent({ data: 'next' }));
        expect(seen.retry).toBe(retry);
        expect(seen.events).toEqual([
          { type: event === '' ? 'message' : event, data: data.replace(/\r\n|\r/g, '\n'), id },
          { type: 'message', data: 'next', id },
        ]);
      }),
    );
  });

  test.each<ServerSentEvent>([{ id: 'a\nb' }, { id: 'a\rb' }, { id: 'a\0b' }, { event: 'a\nb' }, { event: '\r' }])(
    'cannot be %j',
    (event) => {
      expect(() => encodeEvent(event)).toThrow(
        expect.objectContaining({ name: 'TypeError', code: 'ERR_MILLRACE_HTTP_FIELD' }),
      );
    },
  );

  test('has fields of the right type', () => {
    const wrong = (event: unknown): string => encodeEvent(event as ServerSentEvent);
    expect(() => wrong('x')).toThrow('event must be an object; got "x"');
    expect(() => wrong({ data: { a: 1 } })).toThrow('event.data must be a string; got an instance of Object');
    expect(() => wrong({ id: 1 })).toThrow('event.id must be a string; got 1');
    expect(() => wrong({ retry: -1 })).toThrow('event.retry must be an integer from 0');
    expect(() => wrong({ retry: 1.5 })).toThrow(RangeError);
  });
});
