import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseBenchOptions, UsageError } from '../../bench/cli/options.js';
import { benchCommand } from '../../bench/index.js';

describe('the options of millrace bench', () => {
  it.each([
    [['--sample', '3'], /--sample/],
    [['quickly'], /quickly/],
    [['--samples', '0'], /--samples must be a whole number from 1 to 1000, got 0/],
    [['--samples', '2.5'], /got 2\.5/],
    [['--samples', ''], /--samples must be/],
    [['--samples'], /--samples/],
    [['--measure-ms', '-5'], /--measure-ms/],
    [['--only', 'sheduling'], /--only: unknown sheduling; known are: scheduling/],
    [['--only', ','], /--only needs at least one of/],
    [['--runtimes', 'tokio,deno'], /--runtimes: unknown deno; known are: .*tokio/],
    [['--json', ''], /--json needs a file name/],
  ])('%j is refused with a reason', (argv, message) => {
    expect(() => parseBenchOptions(argv)).toThrow(UsageError);
    expect(() => parseBenchOptions(argv)).toThrow(message);
  });

  it('have defaults, and the quick run a time limit that an explicit number of samples lifts', () => {
    expect(parseBenchOptions([]).settings).toMatchObject({ quick: false, pin: true, limitSeconds: Infinity });
    expect(parseBenchOptions(['--quick']).settings.limitSeconds).toBeLessThan(180);
    expect(parseBenchOptions(['--quick', '--samples', '9']).settings).toMatchObject({
      samples: 9,
      limitSeconds: Infinity,
    });
  });

  it('take lists', () => {
    const { settings } = parseBenchOptions(['--only', 'echo, io/light', '--runtimes', 'tokio-multi,node', '--no-pin']);
    expect(settings).toMatchObject({ only: ['echo', 'io/light'], runtimes: ['tokio-multi', 'node'], pin: false });
  });
});

describe('millrace bench', () => {
  const printed: string[] = [];
  beforeEach(() => {
    printed.length = 0;
    const keep = (text: string | Uint8Array) => {
      printed.push(String(text));
      return true;
    };
    vi.spyOn(process.stdout, 'write').mockImplementation(keep);
    vi.spyOn(process.stderr, 'write').mockImplementation(keep);
  });
  afterEach(() => vi.restoreAllMocks());

  it('ends with 2 and one line on wrong usage, before anything is built or run', async () => {
    expect(await benchCommand(['--only', 'nothing'])).toBe(2);
    expect(printed.join('')).toMatch(/^millrace bench: --only: unknown nothing;[^\n]*\n$/);
  });

  it('finds a wrong baseline before the run, not after it', async () => {
    expect(await benchCommand(['--baseline', '/nonexistent/run.json'])).toBe(2);
    expect(printed.join('')).toMatch(/cannot read the baseline/);
  });

  it('explains itself', async () => {
    expect(await benchCommand(['--help'])).toBe(0);
    expect(await benchCommand(['--list'])).toBe(0);
    expect(printed.join('')).toMatch(/--save-baseline FILE[\s\S]*echo\/16KiB[\s\S]*tokio-multi/);
  });
});
