// Nothing but runnable tasks: no timer, no socket, no handle of Node's. The loop must not block between ticks.
import { RawBorder, RUNNABLE, TICKS } from '../raw-border.mjs';

const border = new RawBorder();
const { control, drain } = { control: border.control, drain: border.drain };
border.drain = function () {
  drain.call(this);
  if (control[TICKS] < 1000) control[RUNNABLE] = 1;
};
border.addon.wake();
control[RUNNABLE] = 1;
process.on('exit', () => console.log(control[TICKS]));
