// The TLS echo example, spoken to by node:tls.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { certificate, localhost } from '../tls/certificates.js';
import { Example } from './run-example.js';

const { authority, server } = localhost();

async function client(port: number): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ca: authority.cert, ALPNProtocols: ['echo'] });
  await once(socket, 'secureConnect');
  return socket;
}

async function echoed(socket: TLSSocket, text: string): Promise<string> {
  socket.write(text);
  const [answer] = await once(socket, 'data');
  return String(answer);
}

test('tls-echo echoes, reads its certificate again, and ends by a signal', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'));
  const files = [join(folder, 'key.pem'), join(folder, 'cert.pem')] as const;
  const install = ({ key, cert }: { key: string; cert: string }): void => {
    writeFileSync(files[0], key);
    writeFileSync(files[1], cert);
  };
  try {
    install(server);
    const example = new Example('tls-echo', [...files, '0']);
    const [, port] = await example.says(/listening on 127\.0\.0\.1:(\d+)/);
    const old = await client(Number(port));
    expect(await echoed(old, 'hello')).toBe('hello');
    install(certificate({ name: 'renewed', issuer: authority, names: ['127.0.0.1'] }));
    example.signal('SIGHUP');
    await example.says(/certificate read again/);
    const fresh = await client(Number(port));
    expect(fresh.getPeerCertificate().subject.CN).toBe('renewed');
    expect(await echoed(old, 'still here')).toBe('still here');
    for (const socket of [old, fresh]) socket.on('error', () => {});
    example.signal('SIGTERM');
    expect(await example.ended).toMatchObject({ code: 0, errors: '' });
    for (const socket of [old, fresh]) socket.destroy();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
