import type { CellKind, HttpKind } from '../model.js';
import type { ComputeWorkload } from './checksums.js';
import type { HttpAsked } from './http-requests.js';

/** One workload at one load: a row of every table. */
export interface Cell {
  readonly id: string;
  readonly workload: string;
  readonly load: string;
  readonly kind: CellKind;
  readonly title: string;
  /** Operations of one run (compute), bytes of a message, or connections. */
  readonly n: number;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly quick: boolean;
  /** A cell whose every sample takes long is sampled in the first rounds only. */
  readonly samplesMax: number;
}

export interface ComputeCell extends Cell {
  readonly kind: 'compute';
  readonly program: ComputeWorkload;
  readonly expectedChecksum: string;
  /** The sleeps' own length bounds the wall time of `timer`, so its figure is operations per CPU-second. */
  readonly perCpuSecond: boolean;
}

export interface EchoCell extends Cell {
  readonly kind: 'echo';
  readonly messageBytes: number;
  readonly inFlight: number;
  readonly connections: number;
  /** The figure is bytes, not messages. */
  readonly inBytes: boolean;
}

export interface UdpCell extends Cell {
  readonly kind: 'udp';
  readonly messageBytes: number;
  readonly inFlight: number;
  readonly connections: number;
}

export interface ChurnCell extends Cell {
  readonly kind: 'churn';
  readonly messageBytes: number;
  readonly parallel: number;
}

export interface IdleCell extends Cell {
  readonly kind: 'idle';
  readonly connections: number;
}

export interface BusyCell extends Cell {
  readonly kind: 'busy';
  readonly busy: number;
  readonly idle: number;
}

export interface LatencyCell extends Cell {
  readonly kind: 'latency';
  readonly messageBytes: number;
  readonly connections: number;
  /** Half of whose saturating rate: `node:net`'s, the same for all, or each one's own. */
  readonly rateOf: 'node' | 'own';
}

export interface ClientCell extends Cell {
  readonly kind: 'client';
  readonly service: 'pg' | 'redis';
}

export interface ImportCell extends Cell {
  readonly kind: 'import';
}

interface AnyHttpCell extends Cell {
  readonly kind: HttpKind;
  /** What the load asks for, in turn. */
  readonly asked: readonly HttpAsked[];
  readonly connections: number;
  /** `http-routes` where a runtime's own router is what matters. */
  readonly server: 'http' | 'http-routes';
}

/** A closed loop, of a server or of an app on a framework. */
export interface HttpCell extends AnyHttpCell {
  readonly kind: 'http' | 'http-app';
  readonly inFlight: number;
  /** Bytes of body that a request moves, where the figure is in bytes; 0: it is requests. */
  readonly bodyBytes: number;
}

export interface HttpLatencyCell extends AnyHttpCell {
  readonly kind: 'http-latency';
  /** As in LatencyCell; `node` is node:http. */
  readonly rateOf: 'node' | 'own';
}

export interface HttpIdleCell extends AnyHttpCell {
  readonly kind: 'http-idle';
}

/** A fixed number of requests over fresh connections, again and again. */
export interface HttpRoundsCell extends AnyHttpCell {
  readonly kind: 'http-rounds';
  readonly requestsEach: number;
}

/** A request each interval, for a fixed time. */
export interface HttpSteadyCell extends AnyHttpCell {
  readonly kind: 'http-steady';
  readonly intervalMs: number;
  readonly seconds: number;
}

/** What a load generator drives. */
export type NetworkServerCell = EchoCell | UdpCell | ChurnCell | IdleCell | BusyCell | LatencyCell;
export type HttpServerCell = HttpCell | HttpLatencyCell | HttpIdleCell | HttpRoundsCell | HttpSteadyCell;
export type ServerCell = NetworkServerCell | HttpServerCell;
export type AnyCell = ComputeCell | ServerCell | ClientCell | ImportCell;

export const SERVER_KINDS = ['echo', 'udp', 'churn', 'idle', 'busy', 'latency'] as const;
/** What HTTP servers run; apps on a framework run `http-app`. */
export const HTTP_KINDS = ['http', 'http-latency', 'http-idle', 'http-rounds', 'http-steady'] as const;

export function isHttpCell(cell: AnyCell): cell is HttpServerCell {
  return cell.kind === 'http-app' || HTTP_KINDS.some((kind) => kind === cell.kind);
}

export function isServerCell(cell: AnyCell): cell is ServerCell {
  return isHttpCell(cell) || SERVER_KINDS.some((kind) => kind === cell.kind);
}
