import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseBenchOptions, UsageError } from '../../bench/cli/options.js';
import { benchCommand } from '../../bench/index.js';

describe('the options of millrace bench', () => {
  it.each([
    [['--sample', '3'], /--sample/],
    [['quickly'], /expected nothing or one of: compute, net, http; got quickly/],
    [['net', 'compute'], /got net compute/],
    [['net', '--only', 'spawn'], /--only: unknown spawn/],
    [['--samples', '0'], /--samples must be a whole number from 1 to 1000, got 0/],
    [['--samples', '2.5'], /got 2\.5/],
    [['--samples', ''], /--samples must be/],
    [['--samples'], /--samples/],
    [['--measure-ms', '-5'], /--measure-ms/],
    [['--only', 'sheduling'], /--only: unknown sheduling; known are: scheduling/],
    [['--only', ','], /--only needs at least one of/],
    [['--runtimes', 'tokio,erlang'], /--runtimes: unknown erlang; known are: .*tokio/],
    [['http', '--only', 'echo'], /--only: unknown echo; known are: http-plaintext/],
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

  it('of a part are its cells, with shorter loads and fewer samples than the whole has', () => {
    const { settings } = parseBenchOptions(['net']);
    const whole = parseBenchOptions([]).settings;
    expect(settings).toMatchObject({ part: 'net', samples: 3 });
    expect(settings.only).toContain('busy-among-idle');
    expect(settings.only).not.toContain('spawn');
    expect(settings.echoSeconds).toBeLessThan(whole.echoSeconds);
    expect(parseBenchOptions(['net', '--only', 'udp']).settings.only).toEqual(['udp']);
    expect(parseBenchOptions(['http']).settings).toMatchObject({ part: 'http', only: [], samples: 3 });
    expect(parseBenchOptions(['http']).settings.networkSeconds).toBe(settings.networkSeconds);
    expect(parseBenchOptions(['compute']).settings).toMatchObject({ part: 'compute', only: [], samples: 5 });
  });

  it('make a time for one sample that of loads too, but never none at all', () => {
    expect(parseBenchOptions(['net', '--measure-ms', '3000']).settings).toMatchObject({
      echoSeconds: 3,
      networkSeconds: 3,
      settleSeconds: 1,
    });
    const shortest = parseBenchOptions(['--measure-ms', '1']).settings;
    expect(shortest).toMatchObject({ measureMs: 1, echoSeconds: 0.3, networkSeconds: 0.3, networkWarmupSeconds: 0.05 });
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
