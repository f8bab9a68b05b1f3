import type { Sample } from '../model.js';
import { type IdleResult, runLoad } from './load.js';
import { type ServerSampleOptions, withServer } from './measured.js';

const COLLECT_EVERY_MS = 200;

/**
 * The memory of idle connections. Twice, each time in a fresh process: once as it runs by itself, which is the figure, and
 * once with garbage collections asked for, which leaves what the connections really hold. @throws SampleError
 */
export async function takeIdleSample(
  server: string,
  connections: number,
  asked: readonly string[],
  options: ServerSampleOptions,
): Promise<Sample> {
  const once = (collects: boolean) =>
    withServer(server, options, async (server) => {
      const timer = collects ? setInterval(() => server.collectGarbage(), COLLECT_EVERY_MS) : undefined;
      try {
        const load = { connections, settle: options.budget.settleSeconds };
        const result = await runLoad<IdleResult>(options.generator, 'idle', server, load, asked);
        const grown = result.memory.open.rssBytes - result.memory.before.rssBytes;
        return {
          value: grown / connections,
          wallSeconds: result.openSeconds,
          cpuSeconds: 0,
          cpuNsPerOperation: null,
          extras: { openSeconds: result.openSeconds },
        };
      } finally {
        clearInterval(timer);
      }
    });
  const byItself = await once(false);
  const collected = await once(true);
  return { ...byItself, extras: { ...byItself.extras, collectedBytes: collected.value } };
}
