import type { CellKind } from '../model.js';
import type { ComputeWorkload } from './checksums.js';

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

/** What a load generator drives. */
export type ServerCell = EchoCell | UdpCell | ChurnCell | IdleCell | BusyCell | LatencyCell;
export type AnyCell = ComputeCell | ServerCell | ClientCell | ImportCell;

export const SERVER_KINDS = ['echo', 'udp', 'churn', 'idle', 'busy', 'latency'] as const;

export function isServerCell(cell: AnyCell): cell is ServerCell {
  return SERVER_KINDS.some((kind) => kind === cell.kind);
}
