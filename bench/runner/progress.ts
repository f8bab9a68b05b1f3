/** Where the runner says what it is doing: one line that is rewritten on a terminal, plain lines elsewhere. */
export interface Progress {
  step(what: string): void;
  sample(done: number, total: number, what: string, secondsLeft: number): void;
  note(text: string): void;
  end(): void;
}

export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

const BAR_CELLS = 20;

export function createProgress(stream: NodeJS.WriteStream): Progress {
  return stream.isTTY ? terminalProgress(stream) : plainProgress(stream);
}

function terminalProgress(stream: NodeJS.WriteStream): Progress {
  const rewrite = (text: string) => {
    const width = (stream.columns ?? 80) - 1;
    stream.write(`\r\u001b[2K${text.slice(0, width)}`);
  };
  return {
    step: (what) => rewrite(`  ${what} …`),
    sample(done, total, what, secondsLeft) {
      const filled = Math.round((done / total) * BAR_CELLS);
      const bar = '━'.repeat(filled) + '╌'.repeat(BAR_CELLS - filled);
      rewrite(`  ${bar} ${done}/${total}  ${formatDuration(secondsLeft)} left  ${what}`);
    },
    note: (text) => stream.write(`\r\u001b[2K${text}\n`),
    end: () => stream.write('\r\u001b[2K'),
  };
}

function plainProgress(stream: NodeJS.WriteStream): Progress {
  let lastTenth = -1;
  return {
    step: (what) => stream.write(`${what}\n`),
    sample(done, total, what, secondsLeft) {
      const tenth = Math.floor((done / total) * 10);
      if (tenth === lastTenth) return;
      lastTenth = tenth;
      stream.write(`${done}/${total} samples, ${formatDuration(secondsLeft)} left (${what})\n`);
    },
    note: (text) => stream.write(`${text}\n`),
    end: () => {},
  };
}
