import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Those need prebuilt binaries and a tarball: npm run test:pack.
    exclude: ['test/pack/**'],
    // The addon belongs to a process's own event loop: each file gets a process.
    pool: 'forks',
    // vitest's own choice leaves one core out, which is half of a machine that has two.
    maxWorkers: Math.max(2, availableParallelism()),
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // The programs that tests start load the library as users do.
    globalSetup: ['test/build-library.ts'],
  },
});
