// The load generator as the tests run it: built with the sanitizers, and with every warning an error.
import { type Prepared, prepareLoad } from '../../bench/contestants/prepare.js';
import { type Finished, runProgram } from '../../bench/runner/process.js';

const FLAGS = [
  ...['-O1', '-g', '-Wall', '-Wextra', '-Werror'],
  ...['-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
];

let prepared: Prepared | undefined;

/** Compiles it when that has not been done; to be called before the first run. */
export async function buildLoad(): Promise<void> {
  prepared = await prepareLoad(() => {}, FLAGS, 'millrace-load-sanitized');
}

export function loadCommand(): readonly string[] {
  if (prepared === undefined) throw new Error('buildLoad() has not been called');
  if (!prepared.ok) throw new Error(prepared.reason);
  return prepared.command;
}

export function runLoad(...words: string[]): Promise<Finished> {
  return runProgram([...loadCommand(), ...words], { timeoutMs: 60_000 });
}

/** What it printed; a run that failed throws with what it said. */
export async function measure(...words: string[]) {
  const finished = await runLoad(...words);
  if (finished.code !== 0 || finished.stderr !== '') throw new Error(`${finished.code}: ${finished.stderr}`);
  return JSON.parse(finished.stdout);
}
