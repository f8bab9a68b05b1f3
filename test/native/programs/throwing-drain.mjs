// drain throws three times, each time before it has taken anything. With an argument: nobody handles it.
import { RawBorder } from '../raw-border.mjs';

const border = new RawBorder();
let thrown = 0;
border.onDrain = () => {
  if (thrown < 3) {
    thrown++;
    throw new Error(`drain ${thrown}`);
  }
};
if (process.argv.length === 2) process.on('uncaughtException', (error) => console.log(`uncaught: ${error.message}`));
border.onRecord = (_kind, slot) => console.log(`fired ${slot}`);
for (let slot = 0; slot < 3; slot++) border.arm(slot, border.addon.clock() + 1);
