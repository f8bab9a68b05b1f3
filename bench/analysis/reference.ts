// What the original Tokio stress report printed (macOS, hardware not stated). Shown beside the results as a reference,
// never compared with: another machine's numbers say nothing about this one's.

export interface ReferenceRow {
  readonly load: string;
  readonly tasks: number | null;
  /** Tasks per second, and the latency that the report gives with it, in microseconds. */
  readonly scheduling: readonly [number, number | null];
  readonly io: readonly [number, number | null];
  readonly allocation: readonly [number, number | null];
}

export const REFERENCE_ROWS: readonly ReferenceRow[] = [
  {
    load: 'light',
    tasks: 1_000,
    scheduling: [1_104_159, 250.42],
    io: [639_573, 1_143.25],
    allocation: [1_386_242, 0.04],
  },
  {
    load: 'medium',
    tasks: 10_000,
    scheduling: [412_141, 266.25],
    io: [575_766, 1_273.24],
    allocation: [1_404_149, 0.03],
  },
  {
    load: 'heavy',
    tasks: 50_000,
    scheduling: [761_152, 226.29],
    io: [546_455, 1_230.31],
    allocation: [1_631_288, 0.03],
  },
  {
    load: 'extreme',
    tasks: 100_000,
    scheduling: [734_343, 202.42],
    io: [565_434, 1_271.02],
    allocation: [1_857_132, 0.02],
  },
  {
    load: '“literature” average',
    tasks: null,
    scheduling: [800_000, null],
    io: [400_000, null],
    allocation: [5_000_000, null],
  },
];

export const REFERENCE_NOTE =
  'Printed by the original Tokio stress report (macOS, hardware not stated). A reference only: nothing here is compared with it.';
