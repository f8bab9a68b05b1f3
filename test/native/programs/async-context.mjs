import { createHook, executionAsyncId } from 'node:async_hooks';
import { RawBorder } from '../raw-border.mjs';

const types = new Map();
createHook({ init: (id, type) => types.set(id, type) }).enable();
const border = new RawBorder();
const order = [];
border.onRecord = () => {
  order.push('drain');
  const resource = types.get(executionAsyncId());
  queueMicrotask(() => order.push('microtask'));
  process.nextTick(() => order.push('nextTick'));
  setImmediate(() => console.log(JSON.stringify({ resource, order })));
};
border.arm(0, border.addon.clock() + 1);
