// Several certificates on one port: which one is shown depends on the name that the client asks for (SNI, RFC 6066).
import { invalidType } from '../internal/errors.js';
import { SecureContext, type TlsContextOptions, toSecureContext } from './context.js';
import type { TlsSocket } from './socket.js';

type Choice = SecureContext | null | undefined;

/**
 * By name: `{ 'example.org': context, '*.example.org': context }`, where a `*` stands for one label and a full name goes
 * before it. Or a function that is given the name in lower case ('' where the client tells none) and gives the context,
 * or a promise of it; nothing: the listener's own.
 */
export type SniOption =
  | Readonly<Record<string, SecureContext | TlsContextOptions>>
  | ((servername: string) => Choice | Promise<Choice>);

type Choose = (servername: string) => Choice | Promise<Choice>;

export function checkSni(sni: SniOption): void {
  if (typeof sni === 'function') return;
  if (sni === null || typeof sni !== 'object') throw invalidType('options.sni', 'an object or a function', sni);
}

export function chooserOf(sni: SniOption): Choose {
  if (typeof sni === 'function') return sni;
  const contexts = new Map<string, SecureContext>();
  for (const [name, value] of Object.entries(sni)) {
    contexts.set(name.toLowerCase(), toSecureContext(value, `options.sni[${JSON.stringify(name)}]`));
  }
  return (servername) => contexts.get(servername) ?? contexts.get(servername.replace(/^[^.]+/, '*'));
}

/** Answers `socket` with what `choose` gives. */
export function answerSni(socket: TlsSocket, servername: string, choose: Choose): void {
  try {
    const chosen = choose(servername.toLowerCase());
    if (chosen instanceof Promise)
      chosen.then(
        (context) => answer(socket, context),
        (error) => refuse(socket, error),
      );
    else answer(socket, chosen);
  } catch (error) {
    refuse(socket, error);
  }
}

function answer(socket: TlsSocket, context: Choice): void {
  if (context === null || context === undefined) socket.select(null);
  else if (context instanceof SecureContext) socket.select(context);
  else socket.refuse(invalidType('what options.sni gives', 'a SecureContext', context));
}

function refuse(socket: TlsSocket, error: unknown): void {
  socket.refuse(error instanceof Error ? error : new Error('options.sni failed', { cause: error }));
}
