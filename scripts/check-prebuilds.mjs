// Fails when what is about to be packed lacks a binary: npm runs it before it packs.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const EXPECTED = ['linux-x64/millrace.uv1.glibc.node', 'linux-x64/millrace.uv1.musl.node', 'linux-arm64/millrace.uv1.glibc.node', 'linux-arm64/millrace.uv1.musl.node'];
const ELSEWHERE = ['darwin-x64/millrace.uv1.node', 'darwin-arm64/millrace.uv1.node', 'win32-x64/millrace.uv1.node'];

// A release has them all; the workflow that publishes sets MILLRACE_RELEASE.
const expected = process.env.MILLRACE_RELEASE ? [...EXPECTED, ...ELSEWHERE] : EXPECTED;
const missing = expected.filter((file) => !existsSync(fileURLToPath(new URL(`../prebuilds/${file}`, import.meta.url))));
if (missing.length > 0) {
  console.error(`millrace: not in prebuilds/: ${missing.join(', ')}; run npm run prebuild`);
  process.exit(1);
}
