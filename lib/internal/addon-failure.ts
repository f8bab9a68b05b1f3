// Why Millrace cannot run here, in one error that says where "here" is and what to do.
import { createRequire } from 'node:module';
import { MillraceError } from './errors.js';

const OLDEST_NODE = '20.19';

/** The name and version of what runs this program, told apart before the addon is touched: Bun aborts on `uv_*` calls. */
export function foreignRuntime(): string | null {
  const { bun, deno } = process.versions;
  if (bun !== undefined) return `Bun ${bun}`;
  if (deno !== undefined) return `Deno ${deno}`;
  return null;
}

/** The error for a runtime that is not Node.js. */
export function runtimeFailure(runtime: string): MillraceError {
  return failure(
    `${runtime} has no libuv loop for addons to live on`,
    `run this program with Node.js ${OLDEST_NODE} or later`,
  );
}

/** The error for a binary that is not there (`file` is null) or does not load. */
export function loadFailure(file: string | null, root: string, cause: unknown): MillraceError {
  const problem =
    file === null
      ? `there is no binary for this platform in ${root}`
      : `${file} does not load: ${cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause)}`;
  return failure(problem, advice(file), cause);
}

function advice(file: string | null): string {
  if (process.env.MILLRACE_ADDON) return 'correct MILLRACE_ADDON, or unset it';
  const build = 'in a clone of the repository run npm ci, and set MILLRACE_ADDON to its build/Release/millrace.node';
  if (file === null) return `if dependencies were installed for another platform, install them again here; or ${build}`;
  const musl = process.platform === 'linux' && libc().startsWith('musl') && !file.includes('.musl.');
  return `${musl ? 'set LIBC=musl, which selects the binary for musl; or ' : ''}${build}`;
}

function failure(problem: string, what: string, cause?: unknown): MillraceError {
  const libcName = libc();
  const where = [
    `${process.platform}-${process.arch}`,
    ...(libcName === '' ? [] : [libcName]),
    foreignRuntime() ?? `Node.js ${process.version}`,
  ].join(', ');
  return new MillraceError(
    'ERR_MILLRACE_ADDON',
    `Millrace cannot run here (${where}): ${problem}. What to do: ${what}.`,
    cause === undefined ? undefined : { cause },
  );
}

/** `glibc 2.36`, `musl`, or nothing where there is no choice. Only for messages: a process report takes milliseconds. */
function libc(): string {
  if (process.platform !== 'linux') return '';
  try {
    const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
    const version = report?.header?.glibcVersionRuntime;
    if (version !== undefined) return `glibc ${version}`;
    if (report?.header !== undefined && foreignRuntime() === null) return 'musl';
  } catch {}
  return 'libc unknown';
}

/** The folder of the package's own package.json: above lib/internal in the sources, above dist/lib in what is published. */
export function packageRoot(moduleUrl: string): string {
  const require = createRequire(moduleUrl);
  for (let up = '../'; up !== '../../../../../'; up += '../') {
    try {
      return require.resolve(`${up}package.json`).slice(0, -'package.json'.length);
    } catch {}
  }
  throw failure(`the package.json of millrace is not above ${moduleUrl}`, 'leave millrace out of the bundle');
}
