// An hour passes in no time. Each timer notes what the clock showed when it fired, from the moment time was paused.
import { RawBorder } from '../raw-border.mjs';

const border = new RawBorder();
const { addon } = border;
addon.setTime(1, 0);
const start = addon.clock();
const result = { standsStill: false, advanced: [], leftAlone: true };
const elapsed = () => addon.clock() - start;
let onFired = () => {};
border.onRecord = (_kind, slot) => onFired(slot);

// An interval of 10 ms on slot 0; slot 1 lies just after where advance stops.
onFired = (slot) => {
  if (slot === 1) result.leftAlone = false;
  if (slot === 2) return advanced();
  result.advanced.push(elapsed());
  border.arm(0, start + elapsed() + 10);
};
border.arm(0, start + 10);
border.arm(1, start + 55.001);
border.arm(2, start + 55);
setImmediate(() =>
  setImmediate(() => {
    result.standsStill = elapsed() === 0;
    addon.setTime(2, 25);
    addon.setTime(2, 30);
  }),
);

function advanced() {
  border.cancel(0);
  border.cancel(1);
  result.clockAfterAdvance = elapsed();
  result.jumped = [];
  addon.setTime(3, 0);
  const from = addon.clock();
  onFired = () => {
    result.jumped.push(Math.round((addon.clock() - from) * 1e6) / 1e6);
    if (result.jumped.length < 2) return border.arm(0, from + 7_200_000);
    addon.setTime(0, 0);
    const before = addon.clock();
    onFired = () => {
      const passed = addon.clock() - before;
      result.realAgain = passed >= 5 && passed < 5000;
      console.log(JSON.stringify(result));
    };
    border.arm(0, before + 5);
  };
  border.arm(0, from + 3_600_000);
}
