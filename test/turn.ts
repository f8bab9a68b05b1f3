/** Lets everything that is runnable now run, and the loop go round so many times. */
export async function turn(times = 2): Promise<void> {
  for (let i = 0; i < times; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
