// The table over the real kernel, with the backend that MILLRACE_BACKEND names.
import { describe, expect, test } from 'vitest';
import { runCell } from './cell.js';
import { cellsOf } from './table.js';

for (const transport of ['tcp', 'unix'] as const) {
  for (const face of ['stream', 'handlers'] as const) {
    describe(`${transport}, ${face}`, () => {
      for (const { name, outcome, ...cell } of cellsOf('kernel', transport, face))
        test(name, async () => expect(await runCell(cell, null)).toBe(outcome));
    });
  }
}
