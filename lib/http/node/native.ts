// Node's own classes of messages, which apps expect: loaded when the first app is adapted. Our hot methods are own
// properties of the messages, because Express replaces the prototypes of both. What Node keeps under symbols is found by
// their descriptions; where a version has none of that name, its own methods do the work.
import type { IncomingMessage, ServerResponse } from 'node:http';

export type Callback = (error?: Error | null) => void;

/** What a ServerResponse has besides what its type says. */
export interface ResponseInternals {
  _header: string | null;
  _headerSent: boolean;
  _contentLength: number | null;
  _hasBody: boolean;
  _last: boolean;
  _closed: boolean;
  _trailer: string;
  _removedConnection: boolean;
  _removedContLen: boolean;
  _removedTE: boolean;
  _defaultKeepAlive: boolean;
  _keepAliveTimeout: number;
  _expect_continue: boolean;
  _sent100: boolean;
  _eventsCount: number;
  outputData: { data: string | Uint8Array; encoding: BufferEncoding | null; callback: Callback | null }[];
  outputSize: number;
  finished: boolean;
  destroyed: boolean;
  chunkedEncoding: boolean;
  socket: unknown;
  maxRequestsOnConnectionReached: boolean;
  _implicitHeader(): void;
  _flush(): void;
  _finish(): void;
  _flushOutput: unknown;
  _storeHeader: unknown;
  _writeRaw: unknown;
  write: unknown;
  end: unknown;
  writeContinue: unknown;
  [symbol: symbol]: unknown;
}

/** What an IncomingMessage has besides what its type says. */
export interface RequestInternals {
  _addHeaderLines(lines: readonly string[], count: number): void;
  _consuming: boolean;
  _dump(): void;
  _eventsCount: number;
  _read: unknown;
  _readableState: {
    ended: boolean;
    endEmitted: boolean;
    readableListening: boolean;
    readingMore: boolean;
    resumeScheduled: boolean;
    destroyed: boolean;
    closed: boolean;
    closeEmitted: boolean;
  };
  upgrade: boolean | null;
  [symbol: symbol]: unknown;
}

type Response = ServerResponse & ResponseInternals;
type End = (this: Response, chunk: unknown, encoding: unknown, callback: unknown) => Response;
type Write = (this: Response, chunk: unknown, encoding: unknown, callback: unknown) => boolean;

export interface NativeHttp {
  readonly IncomingMessage: typeof IncomingMessage;
  readonly ServerResponse: typeof ServerResponse;
  readonly end: End;
  readonly write: Write;
  readonly storeHeader: (this: Response, firstLine: string, headers: unknown) => void;
  /** Where the headers that were set stand: by name in small letters, name and value. */
  readonly outHeaders: symbol | null;
  /** Set while a writer was told to wait. */
  readonly needDrain: symbol | null;
  /** Where `writableFinished` stands; in Node 20 and 22 it is made of other properties. */
  readonly writableFinished: symbol | null;
}

let loaded: NativeHttp | null = null;

export function nativeHttp(): NativeHttp {
  if (loaded !== null) return loaded;
  const { IncomingMessage, ServerResponse } = process.getBuiltinModule('node:http');
  const prototype = ServerResponse.prototype as unknown as { end: End; write: Write; _storeHeader: () => void };
  const symbols = Object.getOwnPropertySymbols(new ServerResponse(new IncomingMessage(null as never)));
  const called = (description: string): symbol | null =>
    symbols.find((symbol) => symbol.description === description) ?? null;
  loaded = {
    IncomingMessage,
    ServerResponse,
    end: prototype.end,
    write: prototype.write,
    storeHeader: prototype._storeHeader,
    outHeaders: called('kOutHeaders'),
    needDrain: called('kNeedDrain'),
    writableFinished: called('kWritableFinished'),
  };
  return loaded;
}
