// Fails when what is about to be packed lacks a binary, or has one that is older than its sources: npm runs it before it
// packs. A binary that does not fit the TypeScript beside it speaks of other records than that does.
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { listSources } from './list-sources.mjs';

const LINUX = ['x64', 'arm64'].flatMap((arch) =>
  ['glibc', 'musl'].map((libc) => `linux-${arch}/millrace.uv1.${libc}.node`),
);
const ELSEWHERE = ['darwin-x64', 'darwin-arm64', 'win32-x64'].map((name) => `${name}/millrace.uv1.node`);
// A release has them all; the workflow that publishes sets MILLRACE_RELEASE.
const expected = process.env.MILLRACE_RELEASE ? [...LINUX, ...ELSEWHERE] : LINUX;

function changedMs(file) {
  return statSync(fileURLToPath(new URL(`../${file}`, import.meta.url)), { throwIfNoEntry: false })?.mtimeMs ?? null;
}

const sources = ['binding.gyp', 'native/core/records.h', ...listSources().map((source) => `native/${source}`)];
const sourcesMs = Math.max(...sources.map((source) => changedMs(source) ?? 0));
const problems = expected.flatMap((file) => {
  const builtMs = changedMs(`prebuilds/${file}`);
  if (builtMs === null) return [`${file} is missing`];
  return builtMs < sourcesMs ? [`${file} is older than the sources`] : [];
});
if (problems.length > 0) {
  console.error(`prebuilds/: ${problems.join('; ')}. Run npm run prebuild.`);
  process.exit(1);
}
