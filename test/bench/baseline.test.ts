import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BaselineError, compareWithBaseline, readBaseline } from '../../bench/analysis/baseline.js';
import { madeCell, madeReport } from './race.js';

const before = madeReport([
  madeCell('spawn/100k', { node: { values: [100, 101, 99] }, go: { values: [50, 51, 49] } }),
  madeCell('io/light', { node: { values: [10, 10, 10] } }),
]);

describe('a baseline', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('that was saved is read back as it was', async () => {
    const file = join(folder, 'saved.json');
    await writeFile(file, JSON.stringify(before));
    expect(await readBaseline(file)).toEqual(before);
  });

  it('that is missing, no JSON, or something else is an error that says so', async () => {
    const file = join(folder, 'other.json');
    await expect(readBaseline(join(folder, 'missing.json'))).rejects.toThrow(/cannot read the baseline.*ENOENT/);
    for (const text of ['{"name":', 'null', '[]', '{"schema":99,"cells":[]}']) {
      await writeFile(file, text);
      await expect(readBaseline(file)).rejects.toThrow(BaselineError);
    }
  });
});

describe('comparing with a baseline', () => {
  it('gives a verdict for each cell and runtime that both have', () => {
    const now = madeReport([
      madeCell('spawn/100k', { node: { values: [150, 151, 149] }, go: { values: [50, 51, 49] }, bun: { values: [9] } }),
      madeCell('cancel/100k', { node: { values: [7] } }),
    ]);
    const { rows, sameMachine } = compareWithBaseline(now, before);
    expect(sameMachine).toBe(true);
    expect(rows.map(({ cell, contestant, verdict }) => [cell.id, contestant, verdict])).toEqual([
      ['spawn/100k', 'node', 'better'],
      ['spawn/100k', 'go', 'same'],
    ]);
  });

  it('says when it was made on another machine', () => {
    const elsewhere = madeReport(before.cells, { machine: { ...before.machine, cpu: 'Another CPU' } });
    expect(compareWithBaseline(before, elsewhere).sameMachine).toBe(false);
  });

  it('does not compare what is measured in another unit by now', () => {
    const [cell, ...rest] = before.cells;
    if (cell === undefined) throw new Error('the baseline has cells');
    const changed = madeReport([{ ...cell, unit: 'furlongs' }, ...rest]);
    expect(compareWithBaseline(changed, before).rows.map((row) => row.cell.id)).toEqual(['io/light']);
  });

  it('leaves out what failed in either run', () => {
    const failed = madeReport([madeCell('io/light', { node: { values: [], failures: ['crashed'] } })]);
    expect(compareWithBaseline(failed, before).rows).toEqual([]);
  });
});
