import { defineConfig } from 'vitest/config';

// What is published: packed, installed elsewhere, run on other versions and architectures. Needs `npm run prebuild` first.
export default defineConfig({
  test: {
    include: ['test/pack/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 300_000,
    globalSetup: ['test/pack/install-package.ts'],
  },
});
