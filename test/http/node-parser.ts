// Node's own parser (llhttp), for comparison: what it makes of a whole stream.
import { Buffer } from 'node:buffer';
import { createRequire } from 'node:module';

interface Parser {
  [callback: number]: (...args: never[]) => unknown;
  initialize(type: number, resource: object): void;
  execute(bytes: Uint8Array): number | (Error & { code: string; reason: string });
  close(): void;
}
interface Binding {
  HTTPParser: {
    new (): Parser;
    REQUEST: number;
    kOnHeaders: number;
    kOnHeadersComplete: number;
    kOnBody: number;
    kOnMessageComplete: number;
  };
  methods: readonly string[];
}

/** The parser by itself, which Node gives in deprecated ways only: Node 24 no longer in the first of them. */
function loadBinding(): Binding {
  const { noDeprecation } = process;
  process.noDeprecation = true;
  try {
    return (process as unknown as { binding(name: string): Binding }).binding('http_parser');
  } catch {
    return createRequire(import.meta.url)('_http_common') as Binding;
  } finally {
    process.noDeprecation = noDeprecation ?? false;
  }
}

const { HTTPParser, methods } = loadBinding();

/** The methods that it knows, which are all that it takes. */
export const NODE_METHODS: readonly string[] = methods;

export interface NodeRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
  readonly fields: readonly (readonly [name: string, value: string])[];
  body: string;
  trailers: readonly (readonly [name: string, value: string])[] | null;
}

export interface NodeOutcome {
  readonly requests: NodeRequest[];
  /** llhttp's code and words. */
  error: string | null;
}

function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] as string, flat[2 * i + 1] as string]);
}

/** Up to an upgrade, where the parser stops. */
export function nodeDecode(bytes: Uint8Array): NodeOutcome {
  const parser = new HTTPParser();
  const outcome: NodeOutcome = { requests: [], error: null };
  let fields: string[] = [];
  let target = '';
  parser.initialize(HTTPParser.REQUEST, {});
  parser[HTTPParser.kOnHeaders] = (more: string[], url: string) => {
    fields.push(...more);
    target += url;
  };
  parser[HTTPParser.kOnHeadersComplete] = (
    major: number,
    minor: number,
    all: string[] | undefined,
    method: number,
    url: string | undefined,
    _status: number,
    _message: string,
    upgrade: boolean,
    keepAlive: boolean,
  ) => {
    outcome.requests.push({
      method: methods[method] as string,
      target: url ?? target,
      version: `${major}.${minor}`,
      keepAlive,
      upgrade,
      fields: pairs(all ?? fields),
      body: '',
      trailers: null,
    });
    fields = [];
    target = '';
    return upgrade ? 2 : 0;
  };
  parser[HTTPParser.kOnBody] = (body: Buffer) => {
    (outcome.requests.at(-1) as NodeRequest).body += Buffer.from(body).toString('latin1');
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    (outcome.requests.at(-1) as NodeRequest).trailers = pairs(fields);
    fields = [];
    target = '';
  };
  const result = parser.execute(bytes);
  if (typeof result !== 'number') outcome.error = `${result.code}: ${result.reason}`;
  parser.close();
  return outcome;
}
