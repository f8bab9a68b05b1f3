// What may happen to a socket in any of its states.
import type { FakeAddon, Faults } from '../../../lib/internal/fake/index.js';
import { connect } from '../../../lib/net/index.js';
import { advance, withVirtualTime } from '../../../lib/test/index.js';
import { codeOf } from '../scene.js';
import { type Ends, waitUntil } from './ends.js';

const LIMIT_MS = 1000;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

async function passTime(): Promise<void> {
  await withVirtualTime(() => advance(3 * LIMIT_MS), { autoAdvance: false });
}

/** What was before is returned. */
function strike(fake: FakeAddon, faults: Partial<Faults>): Faults {
  const before = fake.network.faults;
  fake.network.faults = { ...before, ...faults };
  return before;
}

/** `fake` is null with a real kernel. */
type Event = (ends: Ends, fake: FakeAddon | null) => Promise<void> | void;

export const events = {
  /** A Unix socket has no resets: we see its end, and that writing fails. */
  async 'reset by the peer'({ us, peer, resets }) {
    peer.socket.destroy();
    const writes = us.waits.includes('write');
    await waitUntil(
      () => us.socket.closed || (!resets && !writes && us.socket.peerEnded),
      () => 'we do not learn of the reset',
    );
  },
  'FIN of the peer'({ peer }) {
    if (peer.socket.writable) peer.write(1000);
    peer.socket.shutdown();
  },
  async 'idle timeout'({ us }) {
    us.socket.setIdleTimeout(LIMIT_MS);
    await passTime();
  },
  async 'write timeout'({ us }) {
    us.socket.setWriteTimeout(LIMIT_MS);
    await passTime();
  },
  cancellation: ({ us }) => us.cancelWaiting(),
  async 'out of receive buffers'({ peer }, fake) {
    if (fake === null) return;
    const before = strike(fake, { outOfBuffers: 1 });
    if (peer.socket.writable) peer.write(1000);
    await turns(50);
    fake.network.faults = before;
  },
  async 'out of descriptors'({ place }, fake) {
    if (fake === null) return;
    const before = strike(fake, { outOfDescriptors: 1 });
    const code = await codeOf(() => connect(place));
    fake.network.faults = before;
    if (code !== 'EMFILE') throw new Error(`connect gave ${code}`);
  },
  /** The peer takes it in pieces that are smaller than any that is sent. */
  async 'partial writes'({ peer }, fake) {
    if (fake !== null) strike(fake, { partialSend: 0.9 });
    for (let left = 32; left > 0 && (peer.socket.bytesUnread > 0 || left > 24); left--) {
      if (peer.socket.bytesUnread > 0) peer.take((await peer.socket.read(997)) as Buffer);
      else await turn();
    }
  },
  async '1-byte fragments'({ peer }, fake) {
    if (fake !== null) strike(fake, { split: 0.9 });
    for (let i = 0; i < 32; i++) {
      if (peer.socket.bytesUnread > 0) peer.take((await peer.socket.read(1)) as Buffer);
      if (peer.socket.writable) peer.write(1);
      await turn();
    }
  },
  destroy: ({ us }) => us.socket.destroy(),
  close({ us }) {
    us.wait(us.waits.includes('close') ? 'close again' : 'close', () => us.socket.close());
  },
  shutdown: ({ us }) => us.socket.shutdown(),
  detach({ us }) {
    us.wait(us.waits.includes('detach') ? 'detach again' : 'detach', () => us.socket.detach());
  },
} satisfies Record<string, Event>;

export type EventName = keyof typeof events;
