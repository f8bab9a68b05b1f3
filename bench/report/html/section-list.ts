interface Section {
  readonly id: string;
  readonly title: string;
  readonly introduction: string;
  readonly workloads: readonly string[];
}

/** The sections on work, each with the workloads that it shows. */
export const SECTIONS: readonly Section[] = [
  {
    id: 'scheduling',
    title: 'Scheduling',
    introduction: 'Each task adds a thousand numbers and yields ten times on the way. Windows of 1,000 tasks.',
    workloads: ['scheduling'],
  },
  {
    id: 'io',
    title: 'I/O',
    introduction: 'Each task sleeps for 1 to 1,000 nanoseconds: how soon a timer ends decides. Windows of 1,000 tasks.',
    workloads: ['io'],
  },
  {
    id: 'allocation',
    title: 'Allocation',
    introduction: 'Each task gets a zeroed buffer of 1 to 5 KiB and lets it go. Windows of 1,000 tasks.',
    workloads: ['allocation'],
  },
  {
    id: 'echo',
    title: 'TCP echo',
    introduction:
      'A server under a closed loop of 64 connections: one message in flight on each, or sixteen. Messages per CPU-second of the server, and bytes where the messages are large.',
    workloads: ['echo'],
  },
  {
    id: 'udp',
    title: 'UDP echo',
    introduction:
      'A server of 64 peers with one datagram in flight each, or four. Datagrams per CPU-second of the server.',
    workloads: ['udp'],
  },
  {
    id: 'connections',
    title: 'Connections',
    introduction:
      'Accepting, answering one request and closing, with 64 at a time; the memory that each of 10,000 idle connections takes, as the process is seen from outside; and the speed of 100 busy connections with 9,900 idle ones beside them, as a share of their speed alone.',
    workloads: ['churn', 'idle', 'busy-among-idle'],
  },
  {
    id: 'latency',
    title: 'Latency',
    introduction:
      'An open loop: messages are sent when a Poisson schedule wants them, whether or not earlier ones have come back, and their latency counts from then. At half of what node:net can take, which is the same rate for all; and at half of what each can take itself, where the rates differ.',
    workloads: ['latency'],
  },
  {
    id: 'clients',
    title: 'Clients',
    introduction:
      'Clients of real servers over a socket of Millrace’s and over node:net: pg with 16 connections that run SELECT 1, ioredis with 16 GETs in flight on one connection. Requests per CPU-second of the client.',
    workloads: ['client'],
  },
  {
    id: 'http-plaintext',
    title: 'HTTP: short replies',
    introduction:
      'A closed loop over 64 or 1,024 connections that stay open, with one request in flight on each or sixteen pipelined. A handler reads method and path and builds its reply; two rivals know one reply only, on Tokio and in C on io_uring. The static route is answered without a handler where a runtime has that. Requests per CPU-second of the server.',
    workloads: ['http-plaintext', 'http-static'],
  },
  {
    id: 'http-handlers',
    title: 'HTTP: handlers',
    introduction:
      'A document of 1 KiB is parsed, changed in one field and sent back; two parameters of a path become a document; sixteen pieces of 1 KiB are streamed.',
    workloads: ['http-json', 'http-params', 'http-stream'],
  },
  {
    id: 'http-bodies',
    title: 'HTTP: bodies',
    introduction: 'Downloads and uploads of 10 KiB and 1 MiB, in bytes of body per CPU-second of the server.',
    workloads: ['http-body'],
  },
  {
    id: 'http-apps',
    title: 'HTTP: apps on frameworks',
    introduction:
      'The same Express app and the same Hono app on each server, asked for three routes in turn: a text, two parameters, and the JSON echo.',
    workloads: ['http-app'],
  },
  {
    id: 'http-latency',
    title: 'HTTP: latency and idle connections',
    introduction:
      'The open loop as for the echo: at half of what node:http can take, and at half of what each can take itself. The memory that each of 10,000 connections takes that have been answered once and are kept open.',
    workloads: ['http-latency', 'http-idle'],
  },
  {
    id: 'http-scenarios',
    title: 'HTTP: scenarios',
    introduction:
      'A fixed number of requests over fresh connections: 100 one after the other, 50 on each of ten, 20 on each of fifty, and fifteen of each of three routes on each of twenty; requests a second by the clock, of warm rounds, and as a ring of the very first. Then one request each 10 ms for 10 s, of which none may fail.',
    workloads: ['http-rounds', 'http-steady'],
  },
  {
    id: 'primitives',
    title: 'Primitives',
    introduction:
      'Empty tasks spawned and joined; a hundred tasks that take turns; a bounded channel of 1,024 messages; sleeps of 1 to 100 ms all at once, per CPU-second, since the sleeps themselves take their time; sleeping tasks, each aborted on its own.',
    workloads: ['spawn', 'yield', 'channel', 'timer', 'cancel'],
  },
];
