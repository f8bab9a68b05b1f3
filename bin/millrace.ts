#!/usr/bin/env node
// `millrace info` and `millrace bench`. Each command loads only what it needs: `info` must work where `bench` cannot.

const USAGE = `Usage: millrace <command>

  info              what Millrace runs on here: backend, kernel features, sizes
  bench [options]   race Millrace against Tokio, Go, Bun, Deno and Node (bench --help)
  help              print this
`;

async function main([command, ...rest]: string[]): Promise<number> {
  switch (command) {
    case 'bench': {
      const { benchCommand } = await import('../bench/index.js');
      return benchCommand(rest);
    }
    case 'info': {
      if (rest.length > 0) return misused(`info takes no arguments, got ${rest[0]}`);
      const { runtimeInfo } = await import('../lib/index.js');
      process.stdout.write(`${JSON.stringify(runtimeInfo(), null, 2)}\n`);
      return 0;
    }
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(USAGE);
      return 0;
    case undefined:
      return misused('a command is missing');
    default:
      return misused(`unknown command: ${command}`);
  }
}

function misused(message: string): number {
  process.stderr.write(`millrace: ${message}\n\n${USAGE}`);
  return 2;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`millrace: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
