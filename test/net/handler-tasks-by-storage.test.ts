// As handler-tasks.test.ts where the addon cannot follow async functions: Node 24 and later.
import { vi } from 'vitest';
import type { NativeAddon } from '../../lib/internal/binding.js';
import { testHandlers } from './handler-tasks.js';

vi.mock(import('../../lib/internal/binding.js'), async (original) => {
  const { loadAddon } = await original();
  const addon = Object.create(loadAddon(), { getContinuation: { value: undefined } }) as NativeAddon;
  return { loadAddon: () => addon };
});

testHandlers();
