// Every drain asks for another tick, until five timers of Millrace's and five of Node's have fired.
import { RawBorder, RUNNABLE } from '../raw-border.mjs';

const border = new RawBorder();
const { addon, control } = border;
let timers = 0;
let nodeTimers = 0;
let immediates = 0;
border.onRecord = (_kind, slot) => {
  timers++;
  if (timers < 5) border.arm(slot, addon.clock() + 1);
};
const drain = border.drain;
border.drain = function () {
  drain.call(this);
  if (timers < 5 || nodeTimers < 5) control[RUNNABLE] = 1;
};
const interval = setInterval(() => {
  if (++nodeTimers === 5) clearInterval(interval);
}, 2);
const immediate = () => {
  immediates++;
  if (nodeTimers < 5) setImmediate(immediate);
};
immediate();
border.arm(0, addon.clock() + 1);
control[RUNNABLE] = 1;
process.on('exit', () => console.log(JSON.stringify({ timers, nodeTimers, immediates })));
