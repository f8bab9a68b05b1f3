// Workers that are ended while the addon makes their memory: each call of JavaScript that it makes gives nothing then. argv:
// how many. Says how many there were; that it gets there is the test.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { addonPath } from '../raw-border.mjs';

if (isMainThread) {
  const count = Number(process.argv[2]);
  for (let i = 0; i < count; i++) {
    const worker = new Worker(fileURLToPath(import.meta.url));
    await new Promise((resolve) => worker.once('message', resolve));
    await worker.terminate();
  }
  console.log(JSON.stringify({ ended: count }));
} else {
  const addon = createRequire(import.meta.url)(addonPath);
  parentPort.postMessage('begun');
  addon.open({ backend: 'auto' }, () => {});
  addon.openIo();
  addon.openDatagrams();
  for (;;) addon.openHttp();
}
