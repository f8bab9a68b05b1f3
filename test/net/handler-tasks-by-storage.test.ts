// As handler-tasks.test.ts where the addon cannot follow async functions: Node 24 and later.
import { vi } from 'vitest';
import type { Addon } from '../../lib/internal/binding.js';
import { testHandlers } from './handler-tasks.js';

vi.mock(import('../../lib/internal/binding.js'), async (original) => {
  const { loadAddon } = await original();
  const addon = Object.create(loadAddon(), { getContinuation: { value: undefined } }) as Addon;
  return { loadAddon: () => addon };
});

testHandlers();
