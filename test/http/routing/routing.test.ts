import { describe, expect, test } from 'vitest';
import { type RouteMatch, type Routes, RouteTable } from '../../../lib/http/routing/index.js';

/** What the handler says, and the parameters; or the kind, and Allow. */
function outcome(match: RouteMatch<unknown>): unknown {
  if (match.kind !== 'found') return match.allow === '' ? match.kind : `${match.kind}: ${match.allow}`;
  const said = typeof match.handler === 'function' ? match.handler() : match.handler;
  return Object.keys(match.params).length === 0 ? said : [said, { ...match.params }];
}

function ask(routes: Routes<unknown>): (path: string, method?: string) => unknown {
  const table = new RouteTable({ routes });
  return (path, method = 'GET') => outcome(table.match(method, '', path));
}

describe('a pattern', () => {
  const at = ask({
    '/': () => 'root',
    '/users': () => 'users',
    '/users/me': () => 'me',
    '/users/:id': () => 'user',
    '/users/:user/posts': () => 'posts',
    '/users/:user/posts/:post': () => 'post',
    '/files/*path': () => 'files',
    '/all/*': () => 'all',
  });

  test('of text stands for itself', () => {
    expect(at('/')).toBe('root');
    expect(at('/users')).toBe('users');
    expect(at('/Users')).toBe('not-found');
    expect(at('/user')).toBe('not-found');
    expect(at('/userss')).toBe('not-found');
  });

  test('with a parameter stands for one segment that is not empty', () => {
    expect(at('/users/7')).toEqual(['user', { id: '7' }]);
    expect(at('/users/')).toBe('not-found');
    expect(at('/users/7/')).toBe('not-found');
    expect(at('/users//posts')).toBe('not-found');
    expect(at('/users/7/posts')).toEqual(['posts', { user: '7' }]);
    expect(at('/users/7/posts/8')).toEqual(['post', { user: '7', post: '8' }]);
    expect(at('/users/7/posts/8/9')).toBe('not-found');
  });

  test('text goes before a parameter, and a parameter is tried where text leads nowhere', () => {
    expect(at('/users/me')).toBe('me');
    expect(at('/users/me/posts')).toEqual(['posts', { user: 'me' }]);
  });

  test('with a wildcard stands for whatever follows the slash, also nothing', () => {
    expect(at('/files/a/b.txt')).toEqual(['files', { path: 'a/b.txt' }]);
    expect(at('/files/')).toEqual(['files', { path: '' }]);
    expect(at('/files')).toBe('not-found');
    expect(at('/all/x//y/')).toEqual(['all', { '*': 'x//y/' }]);
  });

  test('matches what begins with a slash', () => {
    expect(at('')).toBe('not-found');
    expect(at('users')).toBe('not-found');
    expect(at('example.com:443', 'CONNECT')).toBe('not-found');
  });

  test('slashes at the end and empty segments count', () => {
    const strict = ask({ '/a/': () => 'slash', '/a//b': () => 'empty', '/:x/b': () => 'parameter' });
    expect(strict('/a/')).toBe('slash');
    expect(strict('/a')).toBe('not-found');
    expect(strict('/a//b')).toBe('empty');
    expect(strict('//b')).toBe('not-found');
  });

  test("'*' alone stands for every path, and is the last to be tried", () => {
    const any = ask({ '*': () => 'any', '/:a': () => 'one', '/b/:c/d': () => 'deep' });
    expect(any('/x')).toEqual(['one', { a: 'x' }]);
    expect(any('/')).toEqual(['any', { '*': '' }]);
    expect(any('/b/1/e')).toEqual(['any', { '*': 'b/1/e' }]);
    expect(any('/b/1/d')).toEqual(['deep', { c: '1' }]);
  });

  test('goes back as far as it must', () => {
    const back = ask({ '/a/:x/c/:y/e': () => 'long', '/a/b/:z/d/*': () => 'wild', '/:p/*': () => 'last' });
    expect(back('/a/b/c/d/e')).toEqual(['wild', { z: 'c', '*': 'e' }]);
    expect(back('/a/q/c/d/e')).toEqual(['long', { x: 'q', y: 'd' }]);
    expect(back('/a/b/c/x/e')).toEqual(['long', { x: 'b', y: 'x' }]);
    expect(back('/a/b/c/x/f')).toEqual(['last', { p: 'a', '*': 'b/c/x/f' }]);
  });

  test('one of many at a place is found', () => {
    const many = ask(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`/api/v${i}/:id/x`, () => `v${i}`])));
    expect(many('/api/v0/a/x')).toEqual(['v0', { id: 'a' }]);
    expect(many('/api/v49/a/x')).toEqual(['v49', { id: 'a' }]);
    expect(many('/api/v50/a/x')).toBe('not-found');
  });
});

describe('percent-encoding', () => {
  const at = ask({
    '/café/:name': () => 'café',
    '/a%2Fb': () => 'slash',
    '/%3Aid': () => 'colon',
    '/f/*': () => 'wild',
    '/u/:a/:b': () => 'two',
  });

  test('is decoded before segments are compared, in patterns and in requests', () => {
    expect(at('/caf%C3%A9/%E2%82%AC')).toEqual(['café', { name: '€' }]);
    expect(at('/%63af%c3%a9/x')).toEqual(['café', { name: 'x' }]);
    expect(at('/:id')).toBe('colon');
    expect(at('/%3aid')).toBe('colon');
  });

  test('of a slash does not divide a segment', () => {
    expect(at('/a%2fb')).toBe('slash');
    expect(at('/a/b')).toBe('not-found');
    expect(at('/u/x%2Fy/z')).toEqual(['two', { a: 'x/y', b: 'z' }]);
    expect(at('/u/x%252Fy/z')).toEqual(['two', { a: 'x%2Fy', b: 'z' }]);
    expect(at('/f/x%2Fy/z')).toEqual(['wild', { '*': 'x/y/z' }]);
  });

  test.each(['/f/%', '/f/%2', '/f/%zz', '/f/%ff', '/f/%C3', '/f/%ED%A0%80', '/f/%C0%AF', '/%E9'])(
    '%s is malformed: 400',
    (path) => {
      expect(at(path)).toBe('malformed');
    },
  );

  test('what the wildcard stands for can be had as it was written', () => {
    const table = new RouteTable<() => string>({ routes: { '/s/:site/*': () => '', '*': () => '' } });
    const path = '/s/a%2Fb/x%2Fy/../z';
    expect(table.match('GET', '', path).wildcardOf(path)).toBe('x%2Fy/../z');
    expect(table.match('GET', '', '/other').wildcardOf('/other')).toBe('other');
  });
});

describe('methods', () => {
  const at = ask({
    '/item': { GET: () => 'get', POST: () => 'post' },
    '/me': { GET: () => 'me' },
    '/:id': { GET: () => 'id', DELETE: () => 'delete' },
    '/any': () => 'any',
    '/head/x': { HEAD: () => 'head', GET: () => 'get' },
    '/options/x': { OPTIONS: () => 'options' },
    '/rest/x': { PUT: () => 'put', '*': () => 'other' },
  });

  test('that a path does not have are told with those that it has, sorted', () => {
    expect(at('/head/x', 'POST')).toBe('method-not-allowed: GET, HEAD, OPTIONS');
    expect(at('/nothing/here', 'POST')).toBe('not-found');
  });

  test('count when the best pattern is looked for: another may have the method', () => {
    expect(at('/me', 'DELETE')).toEqual(['delete', { id: 'me' }]);
    expect(at('/me', 'PUT')).toBe('method-not-allowed: DELETE, GET, HEAD, OPTIONS');
    expect(at('/item', 'PUT')).toBe('method-not-allowed: DELETE, GET, HEAD, OPTIONS, POST');
  });

  test('HEAD is answered by GET, unless it has its own', () => {
    const table = new RouteTable<() => string>({
      routes: { '/a': { GET: () => 'get' }, '/b': { GET: () => 'get', HEAD: () => 'head' } },
    });
    expect(table.match('HEAD', '', '/a')).toMatchObject({ kind: 'found', headOfGet: true });
    expect(outcome(table.match('HEAD', '', '/b'))).toBe('head');
    expect(table.match('HEAD', '', '/b').headOfGet).toBe(false);
  });

  test('OPTIONS is answered with Allow, unless it has a handler', () => {
    expect(at('/item', 'OPTIONS')).toBe('options: DELETE, GET, HEAD, OPTIONS, POST');
    expect(at('/options/x', 'OPTIONS')).toBe('options');
    expect(at('/any', 'OPTIONS')).toBe('any');
    expect(at('/a/b/c', 'OPTIONS')).toBe('not-found');
  });

  test('OPTIONS * tells those of the whole server', () => {
    expect(at('*', 'OPTIONS')).toBe('options: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT');
    expect(ask({ '/a': { GET: () => '' }, '/b': { PURGE: () => '' } })('*', 'OPTIONS')).toBe(
      'options: GET, HEAD, OPTIONS, PURGE',
    );
    expect(at('*', 'GET')).toBe('not-found');
  });

  test('a function answers them all; `*` those that are not named', () => {
    expect(at('/any', 'PROPFIND')).toBe('any');
    expect(at('/rest/x', 'PUT')).toBe('put');
    expect(at('/rest/x', 'GET')).toBe('other');
  });

  test('what is no function and no table is a static reply to GET and HEAD', () => {
    const at = ask({ '/text': 'text', '/response': new Response('x'), '/bytes': Buffer.from('b') });
    expect(at('/text')).toBe('text');
    expect(at('/text', 'POST')).toBe('method-not-allowed: GET, HEAD, OPTIONS');
    expect(at('/response', 'HEAD')).toBeInstanceOf(Response);
    expect(at('/bytes')).toBeInstanceOf(Buffer);
  });
});

describe('hosts', () => {
  const table = new RouteTable<() => string>({
    routes: { '/': () => 'any host', '/health': () => 'health' },
    hosts: {
      'api.example.com': { '/': () => 'api', '/health': { POST: () => 'api health' } },
      '*.example.com': { '/': () => 'below' },
      '*.deep.example.com': { '/': () => 'deep' },
      '[::1]': { '/': () => 'six' },
    },
  });
  const at = (host: string, path = '/', method = 'GET'): unknown => outcome(table.match(method, host, path));

  test('are found without regard to case and port', () => {
    expect(at('api.example.com')).toBe('api');
    expect(at('API.Example.COM:8080')).toBe('api');
    expect(at('api.example.com.')).toBe('api');
    expect(at('[::1]:80')).toBe('six');
    expect(at('[::1]')).toBe('six');
    expect(at('')).toBe('any host');
    expect(at('example.com')).toBe('any host');
    expect(at('notexample.com')).toBe('any host');
  });

  test('the longer name goes first; a star is one label or more', () => {
    expect(at('www.example.com')).toBe('below');
    expect(at('a.b.example.com')).toBe('below');
    expect(at('x.deep.example.com')).toBe('deep');
    expect(at('deep.example.com')).toBe('below');
    expect(at('.example.com')).toBe('any host');
  });

  test('what a host does not have is looked for in the routes of every host', () => {
    expect(at('api.example.com', '/health')).toBe('health');
    expect(at('api.example.com', '/health', 'POST')).toBe('api health');
    expect(at('www.example.com', '/health')).toBe('health');
    expect(at('api.example.com', '/none')).toBe('not-found');
  });

  test('two requests to different hosts, one after the other', () => {
    for (const [host, said] of [
      ['api.example.com', 'api'],
      ['www.example.com', 'below'],
      ['api.example.com', 'api'],
    ])
      expect(at(host as string)).toBe(said);
  });

  test.each(['api.example.com:80', 'a/b', '', '*', '*.', 'a..b', 'http://a', 'a b', '*.*.a'])('%j is none', (host) => {
    expect(() => new RouteTable({ hosts: { [host]: {} } })).toThrow(`${JSON.stringify(host)} must be a host's name`);
  });

  test('twice is an error', () => {
    expect(() => new RouteTable({ hosts: { 'a.example': {}, 'A.example': {} } })).toThrow('"A.example" is there twice');
  });
});

describe('what cannot be right is an error when the table is made', () => {
  const code = 'ERR_MILLRACE_HTTP_ROUTE';
  const make = (...patterns: string[]): RouteTable<() => void> =>
    new RouteTable({ routes: Object.fromEntries(patterns.map((pattern) => [pattern, () => {}])) });

  test.each([
    ['/users/:id', '/users/:name'],
    ['/users/:id/*', '/users/:user/*rest'],
    ['/café', '/caf%C3%A9'],
    ['*', '/*all'],
  ])('%s and %s stand for the same requests', (one, other) => {
    expect(() => make(one, other)).toThrow(
      expect.objectContaining({
        code,
        message: `The routes ${JSON.stringify(one)} and ${JSON.stringify(other)} stand for the same requests`,
      }),
    );
  });

  test('and it names the host', () => {
    expect(() => new RouteTable({ hosts: { 'a.b': { '/:x': () => {}, '/:y': () => {} } } })).toThrow(
      'The routes "/:x" and "/:y" of the host "a.b" stand for the same requests',
    );
  });

  test('parameters of other names are no conflict where the patterns differ', () => {
    expect(outcome(make('/u/:a/x', '/u/:b/y').match('GET', '', '/u/1/y'))).toEqual([undefined, { b: '1' }]);
  });

  test.each([
    ['users', "must begin with '/'"],
    ['', "must begin with '/'"],
    ['/a?b', 'no query'],
    ['/a#b', 'no query'],
    ['/:', 'a colon and a name'],
    ['/:id.json', 'a colon and a name'],
    ['/:id?', 'no query'],
    ['/:a/:a', "names 'a' twice"],
    ['/*/b', 'at its end only'],
    ['/a*', 'for a whole segment only'],
    ['/*a-b', 'must be a star and a name'],
    ['/%zz', 'malformed percent-encoding'],
  ])('%j %s', (pattern, message) => {
    expect(() => make(pattern)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
    expect(() => make(pattern)).toThrow(`The route ${JSON.stringify(pattern)}`);
  });

  test.each([
    [{}, 'has no methods'],
    [{ get: () => {} }, 'has "get" for a method; methods are written in capital letters'],
    [{ 'A B': () => {} }, 'has "A B" for a method'],
    [{ GET: null }, 'has no handler for GET; got null'],
    [null, 'has no handler; got null'],
    [undefined, 'has no handler; got undefined'],
  ])('a target %j', (target, message) => {
    expect(() => new RouteTable({ routes: { '/x': target } as Routes<unknown> })).toThrow(`The route "/x" ${message}`);
  });

  test('options of the wrong type', () => {
    expect(() => new RouteTable(null as unknown as object)).toThrow('options must be an object; got null');
    expect(() => new RouteTable({ routes: 1 as unknown as Routes<1> })).toThrow(
      'options.routes must be an object; got 1',
    );
  });
});

test('a static route gives the same object each time', () => {
  const table = new RouteTable({ routes: { '/a': { GET: () => {} } } });
  expect(table.match('GET', '', '/a')).toBe(table.match('GET', '', '/a'));
  expect(table.match('GET', '', '/a').params).toEqual({});
  expect(() => Object.assign(table.match('GET', '', '/a').params, { x: 1 })).toThrow(TypeError);
});

test('parameters cannot reach a prototype', () => {
  const { params } = new RouteTable({ routes: { '/:__proto__/:constructor': () => {} } }).match('GET', '', '/x/y');
  expect(Object.entries(params)).toEqual([
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
  expect(params.toString).toBeUndefined();
  expect(({} as Record<string, unknown>).x).toBeUndefined();
});

test('entries tell all routes, and the paths of static ones as requests write them', () => {
  const table = new RouteTable<string | (() => void)>({
    routes: { '/café/a b': 'text', '/:id': { GET: () => {}, PUT: 'put' }, "/a%2Fb/c:d@e!$&'()%2A+,;=~": 'x' },
    hosts: { '*.a.b': { '/': () => {} } },
  });
  const entries = table
    .entries()
    .map(({ host, pattern, path, handlers }) => [host, pattern, path, [...handlers.keys()]]);
  expect(entries).toEqual([
    ['*.a.b', '/', '/', ['*']],
    ['', '/café/a b', '/caf%C3%A9/a%20b', ['GET', 'HEAD']],
    ['', '/:id', null, ['GET', 'PUT', 'HEAD']],
    ['', "/a%2Fb/c:d@e!$&'()%2A+,;=~", "/a%2Fb/c:d@e!$&'()*+,;=~", ['GET', 'HEAD']],
  ]);
});
