// A million timers over a second; says what they cost outside JavaScript's heap.
import { RawBorder } from '../raw-border.mjs';

const COUNT = 1_000_000;
const border = new RawBorder();
const { addon } = border;
const deadlines = new Float64Array(COUNT);
border.arm(0, addon.clock() + 60_000);
border.cancel(0);
addon.flush();
const native = () => {
  const { rss, heapTotal, external } = process.memoryUsage();
  return rss - heapTotal - external;
};
const before = native();
const start = addon.clock() + 300;
for (let slot = 0; slot < COUNT; slot++) {
  deadlines[slot] = start + (slot % 1000) + slot / COUNT;
  border.arm(slot, deadlines[slot]);
}
addon.flush();
const residentBytesPerTimer = (native() - before) / COUNT;
const bytesPerTimer = addon.counters().timerBytes / COUNT;
let fired = 0;
let early = 0;
border.onRecord = (_kind, slot) => {
  fired++;
  if (addon.clock() < deadlines[slot]) early++;
};
process.on('exit', () => console.log(JSON.stringify({ fired, early, bytesPerTimer, residentBytesPerTimer })));
