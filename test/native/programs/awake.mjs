import { AWAKE, RawBorder } from '../raw-border.mjs';

const border = new RawBorder();
const { addon, control } = border;
const seen = { beforeTheFirst: control[AWAKE] };
border.arm(0, addon.clock() + 20);
seen.afterWake = control[AWAKE];
setTimeout(() => {
  seen.whileATimerIsPending = control[AWAKE];
}, 1);
process.once('beforeExit', () => {
  seen.beforeExit = control[AWAKE];
  console.log(JSON.stringify(seen));
});
