import type { Sample } from '../model.js';
import { SampleError } from './compute-sample.js';

/**
 * The sample, if all its figures are numbers. A server that got no CPU in the window, or answered nothing, gives a division
 * by zero: that is one failed sample, and must not cost the whole run. @throws SampleError
 */
export function finite(sample: Sample): Sample {
  const { value, wallSeconds, cpuSeconds, cpuNsPerOperation, peakMemoryBytes, extras } = sample;
  const cpuShare = cpuSeconds / wallSeconds;
  const figures = { value, cpuShare, cpuNsPerOperation: cpuNsPerOperation ?? 0, peakMemoryBytes, ...extras };
  for (const [name, figure] of Object.entries(figures)) {
    if (!Number.isFinite(figure)) throw new SampleError(`too little was done in the window: ${name} is ${figure}`);
  }
  return sample;
}
