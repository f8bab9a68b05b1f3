// What a server says of its listening: failures, the descriptor, new certificates.
import { once } from 'node:events';
import { connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { runProgram } from '../program.js';
import { certificate, localhost } from '../tls/certificates.js';
import { start } from './scene.js';

describe('a port that is taken', () => {
  const program = (rest: string): string => `
    import { serve } from lib('http/index.js');
    const first = serve({ hostname: '127.0.0.1', port: 0, fetch: () => '' });
    const second = serve({ hostname: '127.0.0.1', port: first.port, fetch: () => '' });
    ${rest}`;

  test('ends the process if nobody asks', async () => {
    const { code, errors } = await runProgram(program(''));
    expect(code).toBe(1);
    expect(errors).toContain('EADDRINUSE');
  });

  test('is told by ready, and by close', async () => {
    const { code, output, errors } = await runProgram(
      program(`
        console.log(await second.ready.catch(({ code }) => code), await second.close().catch(({ code }) => code));
        await first.close();`),
    );
    expect({ code, output, errors }).toEqual({ code: 0, output: 'EADDRINUSE EADDRINUSE', errors: '' });
  });
});

test('the descriptor is told while the server listens', async () => {
  const server = start({ fetch: () => '' });
  expect(server.fd).toBeGreaterThan(2);
  await server.close();
  expect(server.fd).toBe(-1);
});

describe('a secure context', () => {
  const { authority, server: own } = localhost();

  test('is replaced, and who is connected goes on', async () => {
    const server = start({ tls: own, fetch: () => 'well' });
    await server.ready;
    const client = async () => {
      const socket = connect({ port: server.port, host: '127.0.0.1', ca: authority.cert });
      await once(socket, 'secureConnect');
      return socket;
    };
    const old = await client();
    server.setSecureContext(certificate({ name: 'renewed', issuer: authority, names: ['127.0.0.1'] }));
    const fresh = await client();
    expect(fresh.getPeerCertificate().subject.CN).toBe('renewed');
    for (const socket of [old, fresh]) {
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      let reply = '';
      for await (const bytes of socket) reply += bytes;
      expect(reply).toMatch(/^HTTP\/1\.1 200 OK[\s\S]+well$/);
    }
    expect(() => server.setSecureContext({ key: 'none', cert: 'none' })).toThrow();
  });

  test('is nothing that a server without tls has', () => {
    const server = start({ fetch: () => '' });
    expect(() => server.setSecureContext(own)).toThrow(expect.objectContaining({ code: 'ERR_MILLRACE_INVALID_STATE' }));
  });
});
