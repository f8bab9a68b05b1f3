// The text format of Prometheus, version 0.0.4.
import type { Distribution } from './histogram.js';

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const NAME = /^[A-Za-z_:][\w:]*$/;
const LABEL = /^[A-Za-z_]\w*$/;

export type Labels = Readonly<Record<string, string>>;

const NO_LABELS: Labels = {};

/** Writes metrics, one family after the other: what belongs to a name must stand together. */
export class Exposition {
  #text = '';
  #name = '';
  readonly #names = new Set<string>();

  /** Begins a family. @throws RangeError for a name that is none, or was there already. */
  family(name: string, type: 'counter' | 'gauge' | 'histogram', help: string): this {
    if (!NAME.test(name) || this.#names.has(name)) throw new RangeError(`${JSON.stringify(name)} cannot name a metric`);
    this.#names.add(name);
    this.#name = name;
    const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
    this.#text += `# HELP ${name} ${escaped}\n# TYPE ${name} ${type}\n`;
    return this;
  }

  /** A sample of the family that was begun last. @throws RangeError for a label that is none. */
  sample(value: number, labels: Labels = NO_LABELS): this {
    this.#line('', labels, value);
    return this;
  }

  /** A counter or gauge without labels. */
  single(name: string, type: 'counter' | 'gauge', help: string, value: number): this {
    return this.family(name, type, help).sample(value);
  }

  /** A histogram, whose buckets are those of `cumulative`. @param scale what a value is multiplied with: 0.001 for seconds. */
  histogram(name: string, help: string, { count, sum, cumulative }: Distribution, scale: number): this {
    this.family(name, 'histogram', help);
    // 0.1 * 0.001 is not 0.0001: rounded to what a bound is written with.
    for (const bucket of cumulative) {
      this.#line('_bucket', { le: formatted(Number((bucket.bound * scale).toPrecision(12))) }, bucket.count);
    }
    this.#line('_bucket', { le: '+Inf' }, count);
    this.#line('_sum', NO_LABELS, sum * scale);
    this.#line('_count', NO_LABELS, count);
    return this;
  }

  toString(): string {
    return this.#text;
  }

  #line(suffix: string, labels: Labels, value: number): void {
    const pairs = Object.entries(labels).map(([label, text]) => {
      if (!LABEL.test(label)) throw new RangeError(`${JSON.stringify(label)} cannot name a label`);
      return `${label}="${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
    });
    const set = pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
    this.#text += `${this.#name}${suffix}${set} ${formatted(value)}\n`;
  }
}

function formatted(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
