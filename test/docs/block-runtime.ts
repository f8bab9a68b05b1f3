// What a code block of the documentation finds in the place of console.log, and what checks that it does what it shows.
import { format } from 'node:util';

const logged = new Map<number, string[]>();
const expected = new Map<number, string>();

export function log(line: number, ...values: unknown[]): void {
  const lines = logged.get(line);
  if (lines === undefined) logged.set(line, [format(...values)]);
  else lines.push(format(...values));
}

/** The console.log of this line prints `text`, or what stands before a remark in it. */
export function expectLog(line: number, text: string): void {
  expected.set(line, text);
}

/** `run` must throw an error with this name, class or code. */
export async function throws(name: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const thrown = error as Error & { code?: string };
    if (name === thrown.name || name === thrown.constructor.name || name === thrown.code) return;
    throw error;
  }
  throw new Error(`it must throw ${name}, and threw nothing`);
}

process.on('exit', () => {
  for (const [line, text] of expected) {
    const output = logged.get(line)?.join(' ');
    if (output !== undefined && (text === output || REMARKS.some((mark) => text.startsWith(output + mark)))) continue;
    process.stderr.write(
      `line ${line + 1} says "${text}" and prints ${output === undefined ? 'nothing' : `"${output}"`}\n`,
    );
    process.exitCode = 1;
  }
});

const REMARKS = [', ', ' (', ': '];
