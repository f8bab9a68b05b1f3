import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type Analysis, analyze } from './analysis/analyze.js';
import { BaselineError, readBaseline } from './analysis/baseline.js';
import { type BenchOptions, parseBenchOptions, USAGE, UsageError } from './cli/options.js';
import { CONTESTANTS } from './contestants/catalog.js';
import type { RunReport } from './model.js';
import { peersFolder, resultsFolder } from './paths.js';
import { htmlReport } from './report/html/page.js';
import { markdownReport } from './report/markdown.js';
import { terminalReport } from './report/terminal.js';
import { createProgress } from './runner/progress.js';
import { runBenchmark } from './runner/run.js';
import { findWrk } from './runner/wrk.js';
import { CELLS } from './workloads/catalog.js';

/** `millrace bench`. Gives the exit code: 0 done, 1 nothing could be measured, 2 wrong usage. */
export async function benchCommand(argv: readonly string[]): Promise<number> {
  try {
    const options = parseBenchOptions(argv);
    if (options.help) {
      process.stdout.write(USAGE);
      return 0;
    }
    if (options.list) {
      printCatalog();
      return 0;
    }
    return await race(options);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof BaselineError)) throw error;
    process.stderr.write(`millrace bench: ${error.message}\n`);
    return 2;
  }
}

function printCatalog(): void {
  for (const cell of CELLS) process.stdout.write(`${cell.id.padEnd(20)} ${cell.title}, ${cell.unit}\n`);
  process.stdout.write('\n');
  for (const { id, label } of CONTESTANTS) process.stdout.write(`${id.padEnd(20)} ${label}\n`);
}

async function race(options: BenchOptions): Promise<number> {
  if (!existsSync(peersFolder)) {
    throw new UsageError(`the peers' sources are missing: ${peersFolder}`);
  }
  if (options.settings.generator === 'wrk' && (await findWrk()) === null) {
    throw new UsageError('--generator wrk: there is no wrk here (apt-get install wrk)');
  }
  // Read before the run: a wrong name must not cost twenty minutes first.
  const baseline = options.baseline === null ? null : await readBaseline(options.baseline);
  const report = await runBenchmark(options.settings, createProgress(process.stderr));
  const analysis = analyze(report, baseline);
  process.stdout.write(terminalReport(report, analysis));
  const written = await writeReports(options, report, analysis);
  process.stdout.write(`\nThe report: ${written.map((file) => relative(process.cwd(), file)).join(', ')}\n`);
  return report.cells.some((cell) => cell.results.some(({ value }) => value !== null)) ? 0 : 1;
}

/** Writes what was asked for, and the latest HTML and JSON in any case. Gives the files, the HTML report first. */
async function writeReports(options: BenchOptions, report: RunReport, analysis: Analysis): Promise<string[]> {
  const json = `${JSON.stringify(report, null, 1)}\n`;
  const files: [string, string][] = [
    [options.html ?? join(resultsFolder, 'latest.html'), htmlReport(report, analysis)],
    [options.json ?? join(resultsFolder, 'latest.json'), json],
  ];
  if (options.markdown !== null) files.push([options.markdown, markdownReport(report, analysis)]);
  if (options.saveBaseline !== null) files.push([options.saveBaseline, json]);
  for (const [file, text] of files) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return files.map(([file]) => file);
}
