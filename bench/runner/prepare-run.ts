// Builds and finds what the plan needs, and takes out of it what cannot be had here, with the reason.
import { readFileSync } from 'node:fs';
import { type Program, programOf } from '../contestants/catalog.js';
import { type Prepared, prepareLoad, preparers } from '../contestants/prepare.js';
import type { NotRun } from '../model.js';
import { type AnyCell, isServerCell } from '../workloads/cell.js';
import type { Pinning } from './pinning.js';
import type { PlannedCell } from './plan.js';
import type { Progress } from './progress.js';
import { type Service, type ServiceName, startService } from './services.js';

export interface Preparation {
  readonly plan: readonly PlannedCell[];
  readonly notRun: readonly NotRun[];
  readonly programs: ReadonlyMap<Program, Prepared>;
  readonly load: Prepared;
  readonly services: ReadonlyMap<ServiceName, Service>;
}

/** The caller stops the services. */
export async function prepareRun(
  wanted: readonly PlannedCell[],
  pinning: Pinning,
  progress: Progress,
): Promise<Preparation> {
  const programs = await preparePrograms(wanted, progress);
  const load: Prepared = wanted.some(({ cell }) => isServerCell(cell))
    ? await prepareLoad((what) => progress.step(what))
    : { ok: false, reason: 'not asked for', how: '' };
  const services = new Map<ServiceName, Service>();
  for (const { cell } of wanted) {
    if (cell.kind !== 'client' || services.has(cell.service)) continue;
    progress.step(`starting a server for ${cell.service}`);
    services.set(cell.service, await startService(cell.service, pinning));
  }
  return { ...withoutMissing(wanted, programs, load, services), programs, load, services };
}

async function preparePrograms(plan: readonly PlannedCell[], progress: Progress): Promise<Map<Program, Prepared>> {
  const programs = new Map<Program, Prepared>();
  for (const { contestants } of plan) {
    for (const program of contestants.map(programOf)) {
      if (programs.has(program)) continue;
      progress.step(`looking for ${program}`);
      programs.set(program, await preparers[program]((what) => progress.step(what)));
    }
  }
  return programs;
}

/** Takes out of the plan what cannot be had here, and says why. */
export function withoutMissing(
  wanted: readonly PlannedCell[],
  programs: ReadonlyMap<Program, Prepared>,
  load: Prepared,
  services: ReadonlyMap<ServiceName, Service>,
): { plan: PlannedCell[]; notRun: NotRun[] } {
  const notRun = new Map<string, NotRun>();
  const plan: PlannedCell[] = [];
  for (const { cell, contestants } of wanted) {
    const obstacle = obstacleTo(cell, load, services);
    if (obstacle !== null) {
      notRun.set(cell.id, { id: cell.id, label: `${cell.title}, ${cell.load}`, ...obstacle });
      continue;
    }
    const present = contestants.filter((contestant) => {
      const program = programs.get(programOf(contestant));
      if (program?.ok === true) {
        // Where io_uring is not to be had the automatic backend is libuv already.
        if (contestant.backend !== 'uv' || program.automaticBackend !== 'uv') return true;
        notRun.set(contestant.id, {
          id: contestant.id,
          label: contestant.label,
          reason: 'the automatic backend is uv on this machine: its row is the same',
          how: 'Linux 6.1 or later with io_uring allowed',
        });
        return false;
      }
      notRun.set(contestant.id, {
        id: contestant.id,
        label: contestant.label,
        reason: program?.reason ?? 'not prepared',
        how: program?.how ?? '',
      });
      return false;
    });
    if (present.length > 0) plan.push({ cell, contestants: present });
  }
  return { plan, notRun: [...notRun.values()] };
}

/** What keeps a cell from being run by anybody. */
function obstacleTo(
  cell: AnyCell,
  load: Prepared,
  services: ReadonlyMap<ServiceName, Service>,
): { readonly reason: string; readonly how: string } | null {
  const needed = isServerCell(cell) ? load : cell.kind === 'client' ? services.get(cell.service) : undefined;
  if (needed !== undefined && !needed.ok) return { reason: needed.reason, how: needed.how };
  return cell.kind === 'idle' || cell.kind === 'busy' || cell.kind === 'http-idle' ? tooFewDescriptors(cell.n) : null;
}

/** Beside its connections a process has files and libraries open. */
const OTHER_DESCRIPTORS = 500;

function tooFewDescriptors(connections: number): { readonly reason: string; readonly how: string } | null {
  const needed = connections + OTHER_DESCRIPTORS;
  const limit = descriptorLimit();
  if (limit >= needed) return null;
  return { reason: `a process may open ${limit} files here`, how: `ulimit -Hn ${needed} (or more) before the run` };
}

/** The hard limit: every peer and the load generator raise the soft one to it. */
function descriptorLimit(): number {
  try {
    const text = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return text === undefined || text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
