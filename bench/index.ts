import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseBenchOptions, USAGE, UsageError } from './cli/options.js';
import { CONTESTANTS } from './contestants/catalog.js';
import { resultsFolder } from './paths.js';
import { terminalTables } from './report/terminal.js';
import { createProgress } from './runner/progress.js';
import { runBenchmark } from './runner/run.js';
import { CELLS } from './workloads/catalog.js';

/** `millrace bench`. Gives the exit code: 0 done, 1 nothing could be measured, 2 wrong usage. */
export async function benchCommand(argv: readonly string[]): Promise<number> {
  let options: ReturnType<typeof parseBenchOptions>;
  try {
    options = parseBenchOptions(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`millrace bench: ${error.message}\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (options.list) {
    for (const cell of CELLS) process.stdout.write(`${cell.id}  ${cell.title}, ${cell.unit}\n`);
    for (const contestant of CONTESTANTS) process.stdout.write(`${contestant.id}  ${contestant.label}\n`);
    return 0;
  }
  const report = await runBenchmark(options.settings, createProgress(process.stderr));
  process.stdout.write(terminalTables(report));
  await save(join(resultsFolder, 'latest.json'), `${JSON.stringify(report, null, 1)}\n`);
  return 0;
}

async function save(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
