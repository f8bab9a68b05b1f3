// The addon by itself: its arguments, and whole programs that speak to it over raw rings (see programs/).
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { generateLayout, layouts } from '../../scripts/generate-layout.mjs';

const addonPath =
  process.env.MILLRACE_ADDON || fileURLToPath(new URL('../../build/Release/millrace.node', import.meta.url));

// `npm run test:asan`: the runtime of the sanitizers has to be there before the addon, but vitest itself does without.
const preload: Record<string, string> = process.env.MILLRACE_PRELOAD
  ? { LD_PRELOAD: process.env.MILLRACE_PRELOAD }
  : {};
const sanitized = Object.keys(preload).length > 0;

interface Outcome {
  code: number | null;
  signal: string | null;
  output: string;
  errors: string;
}

function run(program: string, args: string[] = [], environment: Record<string, string> = {}): Promise<Outcome> {
  const file = fileURLToPath(new URL(`./programs/${program}`, import.meta.url));
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [file, ...args], {
      env: { ...process.env, ...preload, ...environment },
      timeout: 100_000 + 1000 * Number(process.env.MILLRACE_FUZZ_SECONDS ?? 0),
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (errors += chunk));
    child.on('close', (code, signal) => resolve({ code, signal, output, errors }));
  });
}

async function evaluate(source: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['-e', source], { env: { ...process.env, ...preload } });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output: output.trim() };
}

/** Evaluates an expression over a freshly loaded, and with `open` opened, addon in a process of its own. */
async function thrownBy(expression: string, open = true): Promise<string> {
  const source = `
    const addon = require(${JSON.stringify(addonPath)});
    ${open ? `addon.open({ backend: 'uv' }, () => {});` : ''}
    try { ${expression}; console.log('nothing'); }
    catch (error) { console.log(error.name + ' ' + error.code + ': ' + error.message); }`;
  return (await evaluate(source)).output;
}

describe('timers through the rings', () => {
  test('all fire, none early, a cancelled one never, and the process ends by itself', async () => {
    const { code, output, errors } = await run('timers-and-exit.mjs');
    expect(errors).toBe('');
    expect(code).toBe(0);
    const result = JSON.parse(output);
    expect(result).toMatchObject({ fired: 999, cancelled: true, early: 0 });
    expect(result.counters).toMatchObject({ faults: 0, timersArmed: 0, timersReferenced: 0, timersFired: 999 });
    expect(result.counters.calls).toBeLessThan(999);
  });

  test('an unreferenced timer does not keep the process alive, a referenced one does', async () => {
    const started = performance.now();
    const { code, output } = await run('unreferenced-timer.mjs');
    expect({ code, output }).toEqual({ code: 0, output: 'fired 2\n' });
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  test('a million cost at most 100 bytes each', async () => {
    const { code, output } = await run('million-timers.mjs');
    expect(code).toBe(0);
    const result = JSON.parse(output);
    expect(result.fired).toBe(1_000_000);
    expect(result.early).toBe(0);
    expect(result.bytesPerTimer).toBeLessThanOrEqual(100);
    if (!sanitized) expect(result.residentBytesPerTimer).toBeLessThanOrEqual(100);
  });
});

describe('a drain that throws', () => {
  test('is an uncaught exception, and no record is lost', async () => {
    const { code, output } = await run('throwing-drain.mjs');
    expect(code).toBe(0);
    expect(output.split('\n').filter((line) => line.startsWith('uncaught'))).toEqual([
      'uncaught: drain 1',
      'uncaught: drain 2',
      'uncaught: drain 3',
    ]);
    expect(
      output
        .split('\n')
        .filter((line) => line.startsWith('fired'))
        .sort(),
    ).toEqual(['fired 0', 'fired 1', 'fired 2']);
  });

  test('ends the process where nobody handles it', async () => {
    const { code, errors } = await run('throwing-drain.mjs', ['unhandled']);
    expect(code).not.toBe(0);
    expect(errors).toContain('Error: drain 1');
  });
});

describe('the loop', () => {
  test('Awake tells whether a submission needs wake()', async () => {
    expect(JSON.parse((await run('awake.mjs')).output)).toEqual({
      beforeTheFirst: 0,
      afterWake: 1,
      whileATimerIsPending: 1,
      beforeExit: 0,
    });
  });

  test('does not block while tasks are runnable, and ends when none is', async () => {
    expect(await run('runnable-only.mjs')).toMatchObject({ code: 0, output: '1000\n' });
  });

  test('a task that is always runnable starves neither timers nor Node', async () => {
    const { code, output } = await run('always-runnable.mjs');
    expect(code).toBe(0);
    const result = JSON.parse(output);
    expect(result.nodeTimers).toBe(5);
    expect(result.immediates).toBeGreaterThan(5);
    expect(result.timers).toBe(5);
  });

  test('a drain runs in an async context of its own, with its microtasks behind it', async () => {
    expect(JSON.parse((await run('async-context.mjs')).output)).toEqual({
      resource: 'Millrace',
      order: ['drain', 'nextTick', 'microtask'],
    });
  });
});

describe('virtual time', () => {
  test('steps from deadline to deadline, exactly, and waits for nothing', async () => {
    const started = performance.now();
    const { code, output } = await run('virtual-time.mjs');
    expect(code).toBe(0);
    expect(JSON.parse(output)).toEqual({
      standsStill: true,
      advanced: [10, 20, 30, 40, 50],
      leftAlone: true,
      clockAfterAdvance: 55,
      jumped: [3_600_000, 7_200_000],
      realAgain: true,
    });
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe('threads', () => {
  test('a hundred workers are terminated amid timers and I/O', async () => {
    const { code, signal, output, errors } = await run('terminate-workers.mjs', ['100']);
    expect({ code, signal, errors }).toEqual({ code: 0, signal: null, errors: '' });
    const result = JSON.parse(output);
    expect(result.terminated).toBe(100);
    expect(result.leakedDescriptors).toBeLessThanOrEqual(4);
  }, 120_000);

  test('workers are terminated while the addon makes their memory', async () => {
    const { code, signal, output, errors } = await run('ending-while-opening.mjs', ['40']);
    expect({ code, signal, errors }).toEqual({ code: 0, signal: null, errors: '' });
    expect(JSON.parse(output)).toEqual({ ended: 40 });
  }, 60_000);
});

describe('the HTTP codec', () => {
  test.each([1, 2, 3])('nonsense gives errors, and leaves nothing behind (seed %i)', async (seed) => {
    const { code, signal, output, errors } = await run('hostile-http.mjs', [
      String(seed),
      sanitized ? '20000' : '100000',
    ]);
    expect({ code, signal, errors }).toEqual({ code: 0, signal: null, errors: '' });
    const { refused, connections } = JSON.parse(output) as { refused: number; connections: number };
    expect(refused).toBeGreaterThan(100);
    expect(connections).toBe(0);
  });
});

describe('hostile ring contents', () => {
  const seed = Number(process.env.MILLRACE_SEED ?? Math.floor(Math.random() * 2 ** 32));
  test.each(['auto', 'uv'])(
    `are refused on the backend %s (MILLRACE_SEED=${seed})`,
    async (backend) => {
      const { code, signal, output, errors } = await run('hostile-rings.mjs', [String(seed), '3000'], {
        MILLRACE_BACKEND: backend,
      });
      expect({ code, signal, errors }).toEqual({ code: 0, signal: null, errors: '' });
      const result = JSON.parse(output);
      expect(result.turns).toBe(3000);
      expect(result.faults).toBeGreaterThan(0);
    },
    60_000,
  );
});

describe('a border under attack with sockets, listeners, UDP and timers behind it', () => {
  // MILLRACE_FUZZ_SECONDS=300 for the long run.
  const networkSeed = Number(process.env.MILLRACE_SEED ?? Math.floor(Math.random() * 2 ** 32));
  const seconds = Number(process.env.MILLRACE_FUZZ_SECONDS ?? (sanitized ? 10 : 3));
  test.each(['auto', 'uv'])(
    `lives, on the backend %s (MILLRACE_SEED=${networkSeed})`,
    async (backend) => {
      const { code, signal, output, errors } = await run(
        'hostile-network.mjs',
        [String(networkSeed), String(seconds)],
        {
          MILLRACE_BACKEND: backend,
        },
      );
      expect({ code, signal, errors }).toEqual({ code: 0, signal: null, errors: '' });
      const counted = JSON.parse(output);
      // Not all of it was refused: there is something behind the border.
      for (const name of ['faults', 'accepted', 'adopted', 'receiveBytes', 'sendBytes', 'datagramsSent', 'timersFired'])
        expect(counted[name], name).toBeGreaterThan(0);
    },
    (seconds + 60) * 1000,
  );
});

describe('arguments are checked', () => {
  test.each([
    ['addon.flush()', 'Error ERR_MILLRACE_INVALID_STATE: The addon is not open: call open first'],
    ['addon.counters()', 'Error ERR_MILLRACE_INVALID_STATE: The addon is not open: call open first'],
    ['addon.open()', 'TypeError ERR_INVALID_ARG_TYPE: options must be an object; got undefined'],
    ['addon.open({})', 'TypeError ERR_INVALID_ARG_TYPE: drain must be a function; got undefined'],
    ['addon.open({ backend: 1 }, () => {})', 'TypeError ERR_INVALID_ARG_TYPE: options.backend must be a string; got 1'],
    [
      "addon.open({ backend: 'epoll' }, () => {})",
      "Error ERR_MILLRACE_BACKEND: options.backend must be one of 'auto', 'uring', 'uv'; got 'epoll'",
    ],
    ["addon.open({ get backend() { throw new Error('mine') } }, () => {})", 'Error undefined: mine'],
  ])('before open: %s', async (expression, message) => {
    expect(await thrownBy(expression, false)).toBe(message);
  });

  test.each([
    ["addon.open({ backend: 'uv' }, () => {})", 'Error ERR_MILLRACE_INVALID_STATE: The addon is already open'],
    ['addon.setTime(4)', 'RangeError ERR_OUT_OF_RANGE: mode must be an integer from 0 to 3; got 4'],
    ["addon.setTime('1')", "TypeError ERR_INVALID_ARG_TYPE: mode must be a number; got '1'"],
    ['addon.setTime(2, 1)', 'Error ERR_MILLRACE_INVALID_STATE: Time cannot be advanced: it is not paused'],
    ['addon.setTime(1); addon.setTime(2)', 'TypeError ERR_INVALID_ARG_TYPE: ms must be a number; got undefined'],
    ['addon.setTime(1); addon.setTime(2, NaN)', 'RangeError ERR_OUT_OF_RANGE: ms must not be NaN; got NaN'],
    [
      'addon.setTime(1); addon.setTime(2, -1)',
      'RangeError ERR_OUT_OF_RANGE: ms must be from 0 to 9223372036854 (292 years); got -1',
    ],
    [
      'addon.setTime(1); addon.setTime(2, 1e300)',
      'RangeError ERR_OUT_OF_RANGE: ms must be from 0 to 9223372036854 (292 years); got 1e+300',
    ],
    [
      "addon.listen('127.0.0.1', 0, 1, 0, 0)",
      'Error ERR_MILLRACE_INVALID_STATE: There is no memory for sockets: call openIo first',
    ],
    [
      "addon.openIo(); addon.listen('localhost', 0, 1, 0, 0)",
      "TypeError ERR_INVALID_ARG_TYPE: address must be an IPv4 or IPv6 address; got 'localhost'",
    ],
    [
      "addon.openIo(); addon.listen('127.0.0.1\\0x', 0, 1, 0, 0)",
      "TypeError ERR_INVALID_ARG_TYPE: address must be an IPv4 or IPv6 address; got '127.0.0.1\\0x'",
    ],
    [
      "addon.openIo(); addon.connect('::1', 65536)",
      'RangeError ERR_OUT_OF_RANGE: port must be an integer from 0 to 65535; got 65536',
    ],
    [
      "addon.openIo(); addon.connect('::1', 1.5)",
      'RangeError ERR_OUT_OF_RANGE: port must be an integer from 0 to 65535; got 1.5',
    ],
    [
      "addon.openIo(); addon.listen('::1', 1, 1, 8)",
      'RangeError ERR_OUT_OF_RANGE: flags must be an integer from 0 to 7; got 8',
    ],
    [
      "addon.openIo(); addon.listen('::1', 1, 1, 0)",
      'TypeError ERR_INVALID_ARG_TYPE: mode must be a number; got undefined',
    ],
    [
      "addon.openIo(); addon.listen('/tmp/x', 0, 1, 4, 0o1777)",
      'RangeError ERR_OUT_OF_RANGE: mode must be an integer from 0 to 511; got 1023',
    ],
    [
      "addon.openIo(); addon.listen('', 0, 1, 4, 0)",
      'TypeError ERR_INVALID_ARG_TYPE: address must be a path without NUL, or NUL and an abstract name',
    ],
    [
      "addon.openIo(); addon.connect('/tmp/a\\0b', 0, 4, '', 0)",
      'TypeError ERR_INVALID_ARG_TYPE: address must be a path without NUL, or NUL and an abstract name',
    ],
    ["addon.openIo(); addon.connect('::1', 1, 2, '', 0)", 'RangeError ERR_OUT_OF_RANGE: flags must be 0 or 4; got 2'],
    [
      "addon.openIo(); addon.connect('::1', 1, 0, 'localhost', 0)",
      "TypeError ERR_INVALID_ARG_TYPE: localAddress must be an IPv4 or IPv6 address; got 'localhost'",
    ],
    [
      "addon.openIo(); addon.connect('::1', 1, 0, '', 70000)",
      'RangeError ERR_OUT_OF_RANGE: localPort must be an integer from 0 to 65535; got 70000',
    ],
    [
      'addon.openIo(); addon.adopt(-1)',
      'RangeError ERR_OUT_OF_RANGE: fd must be an integer from 0 to 2147483647; got -1',
    ],
    [
      'addon.openIo(); addon.send(1, new Uint16Array(4), 0, 1)',
      'TypeError ERR_INVALID_ARG_TYPE: data must be a Uint8Array; got an object',
    ],
    [
      'addon.openIo(); addon.send(1, new Uint8Array(4), 3, 2)',
      'RangeError ERR_OUT_OF_RANGE: offset and length must lie inside of data',
    ],
    ["addon.openIo(); addon.descriptor('1')", "TypeError ERR_INVALID_ARG_TYPE: handle must be a number; got '1'"],
    [
      'addon.openIo(); addon.setOption(1, 9, 1)',
      'RangeError ERR_OUT_OF_RANGE: option must be an integer from 1 to 8; got 9',
    ],
    [
      'addon.openIo(); addon.setOption(1, 1, -2)',
      'RangeError ERR_OUT_OF_RANGE: value must be an integer from -1 to 2147483647; got -2',
    ],
    [
      'addon.openIo(); addon.getOption(1, 0)',
      'RangeError ERR_OUT_OF_RANGE: option must be an integer from 1 to 8; got 0',
    ],
    ['addon.openIo(); addon.credentials()', 'TypeError ERR_INVALID_ARG_TYPE: handle must be a number; got undefined'],
    [
      'addon.openIo(); addon.name(-1, true)',
      'RangeError ERR_OUT_OF_RANGE: handle must be an integer from 0 to 4294967295; got -1',
    ],
    ['addon.openIo(); addon.name(1, 1)', 'TypeError ERR_INVALID_ARG_TYPE: peer must be a boolean; got 1'],
    [
      'addon.openIo(); addon.connect({ toString() { throw 1 } }, 1)',
      'TypeError ERR_INVALID_ARG_TYPE: address must be a string; got an object',
    ],
  ])('once open: %s', async (expression, message) => {
    expect(await thrownBy(expression)).toBe(message.replace('\\0', '\0'));
  });
});

test('the arenas cannot be transferred away from under the kernel', async () => {
  const source = `
    const addon = require(${JSON.stringify(addonPath)});
    addon.open({ backend: 'auto' }, () => {});
    const bytes = [...Object.values(addon.openIo()), ...Object.values(addon.openDatagrams())].map((buffer) => {
      const before = buffer.byteLength;
      try { structuredClone(buffer, { transfer: [buffer] }); } catch {}
      try { new MessageChannel().port1.postMessage(buffer, [buffer]); } catch {}
      return buffer.byteLength === before && before > 0;
    });
    console.log(bytes.join());
    process.exit();`;
  expect(await evaluate(source)).toEqual({ code: 0, output: new Array(10).fill('true').join() });
});

test('two instances in one thread are separate', async () => {
  const source = `
    const path = ${JSON.stringify(addonPath)};
    const first = require(path);
    delete require.cache[path];
    const second = require(path);
    first.open({ backend: 'uv' }, () => {});
    second.open({ backend: 'uv' }, () => {});
    console.log(first !== second, first.counters().loopTurns, second.counters().loopTurns);`;
  expect(await evaluate(source)).toEqual({ code: 0, output: 'true 0 0' });
});

test.each(Object.values(layouts))('$layout is what $header declares', (of) => {
  const header = readFileSync(new URL(`../../${of.header}`, import.meta.url), 'utf8');
  const layout = readFileSync(new URL(`../../${of.layout}`, import.meta.url), 'utf8');
  expect(generateLayout(header, of)).toBe(layout);
  const member = header.match(/ {2}[A-Z]\w+ = 1,/)?.[0] as string;
  expect(() => generateLayout(header.replace(member, '  Loose = kSlotBits,'), of)).toThrow('cannot read');
  expect(() => generateLayout(`${header}\nenum Loose { A };`, of)).toThrow('are understood');
});

test('exports what the contract says, and nothing else', async () => {
  const source = `console.log(Object.getOwnPropertyNames(require(${JSON.stringify(addonPath)})).sort().join())`;
  const { code, output } = await evaluate(source);
  expect(code).toBe(0);
  // The engine's continuation data can be had on some versions of Node only.
  const names = output.split(',').filter((name) => !/^(get|swap)Continuation$/.test(name));
  const udp = names.filter((name) => /datagram/i.test(name));
  expect(udp.sort().join()).toBe(
    'bindDatagrams,connectDatagrams,datagramInterface,datagramMembership,datagramName,datagramOption,openDatagrams',
  );
  expect(names.filter((name) => !udp.includes(name)).join()).toBe(
    'adopt,clock,connect,counters,credentials,descriptor,flush,getOption,info,listen,name,open,openHttp,openIo,openTls,send,setOption,setTime,wake',
  );
});
