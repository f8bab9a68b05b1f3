// What happens to a net.Socket and to our Duplex in the same scene: the same events, in the same order, with the same
// codes. Each scene runs with both against a peer of node:net.
import { type AddressInfo, createServer, Socket as NodeSocket, type Server } from 'node:net';
import { describe, expect, it } from 'vitest';
import { SocketDuplex } from '../../lib/net/duplex.js';
import { Scene, until } from './scene.js';

type Stream = NodeSocket;

const scene = new Scene();

const KINDS = {
  node: (options: object) => new NodeSocket(options),
  millrace: (options: object) => new SocketDuplex(options) as unknown as Stream,
};

/** What one stream tells, and what its peer sees. */
class Story {
  readonly told: string[] = [];
  readonly seen: string[] = [];
  peer: NodeSocket | null = null;
  server!: Server;
  stream!: Stream;

  constructor(
    readonly make: (options: object) => Stream,
    readonly onPeer: (peer: NodeSocket, story: Story) => void,
  ) {}

  async open(options: object, peerOptions: object): Promise<void> {
    this.server = createServer(peerOptions, (peer) => {
      this.peer = scene.trackNode(peer);
      peer.on('data', (bytes) => this.seen.push(`data ${bytes}`));
      peer.on('end', () => this.seen.push('end'));
      peer.on('error', (error: Error & { code: string }) => this.seen.push(`error ${error.code}`));
      peer.on('close', () => this.seen.push('close'));
      this.onPeer(peer, this);
    });
    this.server.listen(0, '127.0.0.1');
    scene.atEnd(() => this.server.close());
    await until(() => this.server.listening);
    this.stream = this.make(options);
    scene.atEnd(() => this.stream.destroy());
    for (const event of ['connect', 'ready', 'end', 'finish', 'drain', 'timeout']) {
      this.stream.on(event, () => this.told.push(event));
    }
    this.stream.on('error', (error: Error & { code: string }) =>
      this.told.push(`error ${error.code ?? error.message}`),
    );
    // net.Socket leaves it out where there never was a connection.
    this.stream.on('close', (hadError = this.told.some((what) => what.startsWith('error'))) => {
      this.told.push(`close ${hadError}`);
    });
  }

  connect(): Stream {
    return this.stream.connect((this.server.address() as AddressInfo).port, '127.0.0.1');
  }

  say(what: string): void {
    this.told.push(what);
  }

  /** For a callback. */
  tells =
    (what: string) =>
    (error?: Error | null): void => {
      this.told.push(error ? `${what} ${(error as Error & { code: string }).code ?? error.message}` : what);
    };

  get closed(): boolean {
    return this.told.some((what) => what.startsWith('close'));
  }

  state(): string {
    const { connecting, pending, readyState, destroyed, readable, writable, writableEnded, readableEnded } =
      this.stream;
    return JSON.stringify({
      connecting,
      pending,
      readyState,
      destroyed,
      readable,
      writable,
      writableEnded,
      readableEnded,
    });
  }
}

interface Act {
  options?: object;
  peerOptions?: object;
  peer?: (peer: NodeSocket, story: Story) => void;
  play: (story: Story) => Promise<void> | void;
  /** What is waited for, besides the stream's 'close'. Without it what the peer has seen so far is chance. */
  until?: (story: Story) => boolean;
}

const peerClosed = (story: Story): boolean => story.seen.includes('close');

const ACTS: Record<string, Act> = {
  'the peer speaks and ends': {
    peer: (peer) => peer.end('hello'),
    play: (story) => void story.connect().on('data', (bytes) => story.say(`data ${bytes}`)),
  },
  'the peer ends and nobody reads': {
    peer: (peer) => peer.end(),
    play: (story) => void story.connect(),
    until: peerClosed,
  },
  'the peer speaks and ends, and somebody reads much later': {
    peer: (peer) => peer.end('hello'),
    async play(story) {
      story.connect();
      await until(() => story.stream.readableLength === 5 && !story.stream.connecting);
      await new Promise((resolve) => setImmediate(resolve));
      story.say(`reads ${story.stream.read()}`);
      story.stream.resume();
    },
  },
  'we write before the connection stands, and end': {
    play(story) {
      story.connect().write('one ', story.tells('wrote one'));
      story.stream.write('two ', story.tells('wrote two'));
      story.stream.end('three', story.tells('ended'));
      story.say(story.state());
    },
    until: peerClosed,
  },
  'a half-open stream answers after the peer has ended': {
    options: { allowHalfOpen: true },
    peerOptions: { allowHalfOpen: true },
    peer: (peer) => peer.end('question'),
    play(story) {
      story.connect().on('data', (bytes) => story.say(`data ${bytes}`));
      story.stream.on('end', () => {
        story.say(story.state());
        setImmediate(() => story.stream.end('answer'));
      });
    },
    until: peerClosed,
  },
  "a stream that is not half-open writes when it hears of the peer's end": {
    peer: (peer) => peer.end(),
    play(story) {
      story.connect().on('end', () => {
        story.say(`${story.stream.write('late', story.tells('wrote'))}`);
      });
      story.stream.resume();
    },
    until: peerClosed,
  },
  "a stream that is not half-open writes after the peer's end has ended it": {
    peer: (peer) => peer.end(),
    play(story) {
      story.connect().on('finish', () => {
        story.say(`${story.stream.write('too late', story.tells('wrote'))}`);
      });
      story.stream.resume();
    },
  },
  'the peer resets': {
    peer: (peer, story) => {
      peer.once('data', () => peer.resetAndDestroy());
      story.seen.length = 0;
    },
    play: (story) => void story.connect().write('go'),
  },
  'we destroy': {
    play: (story) => void story.connect().on('connect', () => story.stream.destroy()),
    until: peerClosed,
  },
  'we destroy with an error': {
    play: (story) => void story.connect().on('connect', () => story.stream.destroy(new Error('enough'))),
    until: peerClosed,
  },
  'we write and destroy at once: what was written arrives': {
    play: (story) =>
      void story.connect().on('connect', () => {
        story.stream.write('goodbye');
        story.stream.destroy();
      }),
    until: peerClosed,
  },
  'we reset': {
    play: (story) => void story.connect().on('connect', () => story.stream.resetAndDestroy()),
    until: peerClosed,
  },
  'we reset before the connection stands': {
    play: (story) => void story.connect().resetAndDestroy(),
    until: peerClosed,
  },
  'we reset what was never connected': {
    play: (story) => void story.stream.resetAndDestroy(),
  },
  'we destroy before the connection stands, with a write waiting': {
    play(story) {
      story.connect().write('never', story.tells('wrote'));
      story.stream.destroy();
    },
  },
  'we write to what was never connected': {
    play: (story) => void story.stream.write('never', story.tells('wrote')),
  },
  'we write after our end': {
    play(story) {
      story.connect().end('last');
      story.stream.write('more', story.tells('wrote'));
    },
  },
  'destroySoon sends what was written': {
    play(story) {
      story.connect().on('connect', () => {
        story.stream.write('soon');
        story.stream.destroySoon();
      });
    },
    until: peerClosed,
  },
  'corked writes arrive as one': {
    play(story) {
      story.connect().on('connect', () => {
        story.stream.cork();
        story.stream.write('a', story.tells('wrote a'));
        story.stream.write(Buffer.from('b'));
        story.stream.write('Yw==', 'base64', story.tells('wrote c'));
        story.stream.write('ä', 'latin1');
        story.stream.uncork();
        story.stream.end();
      });
    },
    until: peerClosed,
  },
  'texts in several encodings arrive as their bytes': {
    play(story) {
      story.connect().on('connect', () => {
        story.stream.write('é', 'utf8');
        story.stream.write('6161', 'hex', story.tells('wrote'));
        story.stream.write('', story.tells('wrote nothing'));
        story.stream.setDefaultEncoding('hex');
        story.stream.write('62');
        story.stream.end(new Uint8Array([99]));
      });
    },
    until: peerClosed,
  },
  'a reader with an encoding gets texts, whole characters each': {
    peer: (peer) => {
      peer.setNoDelay(true);
      peer.write(Buffer.from([0xc3]), () => setImmediate(() => peer.end(Buffer.from([0xa9]))));
    },
    play(story) {
      story.connect().setEncoding('utf8');
      story.stream.on('data', (text) => story.say(`text ${text}`));
    },
  },
  'a stream that is idle times out once, and lives on': {
    play(story) {
      story.connect();
      story.stream.setTimeout(10, () => {
        story.say(story.state());
        story.stream.end();
      });
    },
    until: peerClosed,
  },
  'a timeout that is taken back does not come': {
    play(story) {
      story.connect();
      const taken = (): void => story.say('timed out');
      story.stream.setTimeout(5, taken);
      story.stream.setTimeout(0, taken);
      setTimeout(() => story.stream.end(), 30);
    },
  },
  'leaving a for await loop destroys': {
    peer: (peer) => void peer.write('some'),
    async play(story) {
      for await (const chunk of story.connect()) {
        story.say(`chunk ${chunk}`);
        break;
      }
    },
    until: peerClosed,
  },
  'it is connected, and tells its state': {
    play(story) {
      story.say(story.state());
      story.connect();
      story.say(story.state());
      story.stream.on('connect', () => {
        story.say(story.state());
        const { remoteAddress, remoteFamily, localAddress, localFamily } = story.stream;
        story.say(JSON.stringify({ remoteAddress, remoteFamily, localAddress, localFamily }));
        const { port, ...address } = story.stream.address() as AddressInfo;
        story.say(JSON.stringify([address, port === story.stream.localPort]));
        story.say(`${story.stream.remotePort === (story.server.address() as AddressInfo).port}`);
        story.stream.end('12345');
      });
      story.stream.on('finish', () => story.say(JSON.stringify([story.stream.bytesWritten, story.stream.bytesRead])));
    },
    until: peerClosed,
  },
};

describe.each(Object.entries(ACTS))('%s', (_name, act) => {
  it('as with net.Socket', async () => {
    const outcomes: Record<string, unknown> = {};
    for (const [kind, make] of Object.entries(KINDS)) {
      const story = new Story(make, act.peer ?? (() => {}));
      await story.open(act.options ?? {}, act.peerOptions ?? {});
      await act.play(story);
      await until(() => story.closed && (act.until?.(story) ?? true));
      // How many chunks carry the bytes is the kernel's affair.
      const data = story.seen.filter((what) => what.startsWith('data ')).map((what) => what.slice(5));
      const rest = story.seen.filter((what) => !what.startsWith('data '));
      outcomes[kind] = {
        told: story.told,
        data: act.until === undefined ? '' : data.join(''),
        seen: act.until === undefined ? [] : rest,
        end: story.state(),
      };
    }
    const { pending: _, ...ours } = JSON.parse((outcomes.millrace as { end: string }).end);
    const { pending: __, ...theirs } = JSON.parse((outcomes.node as { end: string }).end);
    expect({ ...(outcomes.millrace as object), end: ours }).toEqual({ ...(outcomes.node as object), end: theirs });
  });
});

it('is refused with the same error as net.Socket', async () => {
  const outcomes = [];
  const server = createServer().listen(0, '127.0.0.1');
  await until(() => server.listening);
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  for (const make of Object.values(KINDS)) {
    const stream = make({}).connect({ port, host: '127.0.0.1' });
    const told: unknown[] = [];
    stream.on('error', ({ code, errno, syscall, address, port }: Error & Record<string, unknown>) =>
      told.push({ code, errno, syscall, address, port }),
    );
    stream.on('close', (hadError) => told.push(hadError));
    await until(() => told.length === 2);
    outcomes.push(told);
  }
  expect(outcomes[1]).toEqual(outcomes[0]);
});
