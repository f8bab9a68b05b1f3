// What the programs here have in common: many visits at a time to a server of this process, and what they leave behind.
import { readdirSync } from 'node:fs';
import { spawn } from '../../../build/test/lib/index.js';
import { loadAddon } from '../../../build/test/lib/internal/binding.js';
import { leastGrowth } from '../../growth.mjs';

const ROUNDS = 3;

/** Numbers from 0 to `below` - 1, the same ones for the same seed. */
export function seededRandom(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Waits until no more than `sockets` are open; a listener is one. */
export async function idle(sockets = 1) {
  while (loadAddon().counters().socketsOpen > sockets) await new Promise((resolve) => setTimeout(resolve, 1));
}

export const openDescriptors = () => readdirSync('/proc/self/fd').length;

/** `visit(n)` for n from 0 to `count` - 1, as many at a time as tasks; then nothing of them is open any more. */
export async function visitAll(count, tasks, visit) {
  let started = 0;
  const visitor = async () => {
    while (started < count) await visit(started++);
  };
  await Promise.all(Array.from({ length: tasks }, () => spawn(visitor)));
  await idle();
}

/** `count` visits, a part of which warms up: what one of the others leaves behind, at the least, and open descriptors. */
export async function churn(count, tasks, visit) {
  const inRound = Math.floor(count / (ROUNDS + 1));
  await visitAll(count - ROUNDS * inRound, tasks, visit);
  const descriptors = openDescriptors();
  const { heapBytes, residentBytes } = await leastGrowth(ROUNDS, () => visitAll(inRound, tasks, visit));
  return {
    leftHeapBytes: heapBytes / inRound,
    leftResidentBytes: residentBytes / inRound,
    leakedDescriptors: openDescriptors() - descriptors,
  };
}

/** A storm of `count` visits, after one that opens what stays open. */
export async function storm(count, tasks, visit) {
  await visitAll(1, 1, visit);
  const descriptors = openDescriptors();
  await visitAll(count - 1, tasks, visit);
  return { leakedDescriptors: openDescriptors() - descriptors };
}

/** What the addon still has; none of it after all is closed. */
export function leftInAddon() {
  const { socketsOpen, receiveBuffersInUse, faults } = loadAddon().counters();
  return { socketsOpen, receiveBuffersInUse, faults };
}
