// 1,000 timers, one of them moved and one cancelled; says how many fired and whether one was early, and then ends by itself.
import { RawBorder } from '../raw-border.mjs';

const border = new RawBorder();
const { addon } = border;
const deadlines = Array.from({ length: 1000 }, (_, slot) => addon.clock() + ((slot * 7919) % 50) + slot / 1000);
const fired = new Map();
border.onRecord = (_kind, slot) => fired.set(slot, addon.clock());
for (const [slot, deadline] of deadlines.entries()) border.arm(slot, deadline);
deadlines[3] += 30;
border.arm(3, deadlines[3]);
border.cancel(4);
process.on('exit', () => {
  const early = [...fired].filter(([slot, at]) => at < deadlines[slot]).length;
  console.log(JSON.stringify({ fired: fired.size, cancelled: !fired.has(4), early, counters: addon.counters() }));
});
