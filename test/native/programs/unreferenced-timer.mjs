// A timer that does not keep the process alive, one that was referenced later and cancelled, and one that does for 5 ms.
import { RawBorder, TIMER_REF, UNREF } from '../raw-border.mjs';

const border = new RawBorder();
const now = border.addon.clock();
border.onRecord = (_kind, slot) => console.log(`fired ${slot}`);
border.arm(0, now + 60_000, UNREF);
border.arm(1, now + 60_000, UNREF);
border.submit(TIMER_REF, 1, 1);
border.submit(TIMER_REF, 1, 0);
border.arm(2, now + 5);
