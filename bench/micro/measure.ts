import Benchmark from 'benchmark';

export interface MicroResult {
  readonly name: string;
  readonly nsPerOperation: number;
  /** Half the width of the 95 % interval of the mean, as a share of it. */
  readonly relativeError: number;
  readonly samples: number;
}

/** Measures a function that does one operation a call. */
export function measureSync(name: string, operation: () => void): Promise<MicroResult> {
  return run(name, 1, new Benchmark(name, operation));
}

/** Measures a function that does `operations` operations a call and resolves when they are done. */
export function measureDeferred(name: string, operations: number, batch: () => Promise<void>): Promise<MicroResult> {
  const deferred = new Benchmark(name, {
    defer: true,
    fn: (state: { resolve(): void }) => {
      void batch().then(() => state.resolve());
    },
  });
  return run(name, operations, deferred);
}

function run(name: string, operations: number, benchmark: Benchmark): Promise<MicroResult> {
  return new Promise((resolve, reject) => {
    benchmark.on('complete', () => {
      const { mean, rme, sample } = benchmark.stats;
      resolve({
        name,
        nsPerOperation: (mean * 1e9) / operations,
        relativeError: rme / 100,
        samples: sample.length,
      });
    });
    benchmark.on('error', () => reject(new Error(`${name} failed`, { cause: benchmark.error })));
    benchmark.run({ async: true });
  });
}
