import type { EngineHost, EngineOptions, TlsEngine } from './engine.js';
import { NativeEngine, nativeEngineUsable } from './native-engine.js';
import { NodeEngine } from './node-engine.js';

export type EngineKind = 'native' | 'node';

let kind: EngineKind | null = null;

/** 'native' where it can be had, unless `MILLRACE_TLS=node` asks for the other. */
export function engineKind(): EngineKind {
  kind ??= process.env.MILLRACE_TLS !== 'node' && nativeEngineUsable() ? 'native' : 'node';
  return kind;
}

/** For tests: connections from now on have that engine. */
export function useEngine(wanted: EngineKind): void {
  kind = wanted;
}

/** Over the OpenSSL of Node where that can be reached, else over node:tls. */
export function createEngine(host: EngineHost, options: EngineOptions): TlsEngine {
  return engineKind() === 'native' ? new NativeEngine(host, options) : new NodeEngine(host, options);
}
