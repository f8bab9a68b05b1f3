// Servers under load, and clients of real servers.
import type { BusyCell, ChurnCell, ClientCell, EchoCell, IdleCell, LatencyCell, UdpCell } from './cell.js';

const CONNECTIONS = 64;
const EVERY_ROUND = { better: 'higher', samplesMax: Number.POSITIVE_INFINITY } as const;

function echo(load: string, messageBytes: number, inFlight: number, quick: boolean): EchoCell {
  const inBytes = messageBytes >= 16_384;
  return {
    ...EVERY_ROUND,
    id: `echo/${load}`,
    workload: 'echo',
    load,
    kind: 'echo',
    title: 'TCP echo',
    n: messageBytes,
    unit: `${inBytes ? 'bytes' : 'messages'} per server CPU-second`,
    quick,
    messageBytes,
    inFlight,
    connections: CONNECTIONS,
    inBytes,
  };
}

const churn: ChurnCell = {
  ...EVERY_ROUND,
  id: 'churn/64B',
  workload: 'churn',
  load: '64B',
  kind: 'churn',
  title: 'Accept and close',
  n: 64,
  unit: 'connections per server CPU-second',
  quick: false,
  messageBytes: 64,
  parallel: 64,
};

const idle: IdleCell = {
  id: 'idle/10k',
  workload: 'idle',
  load: '10k',
  kind: 'idle',
  title: 'Idle memory',
  n: 10_000,
  unit: 'bytes of memory each',
  better: 'lower',
  quick: false,
  // To open and close them takes seconds, and memory does not flicker as speed does.
  samplesMax: 1,
  connections: 10_000,
};

const busy: BusyCell = {
  ...EVERY_ROUND,
  id: 'busy-among-idle/100of10k',
  workload: 'busy-among-idle',
  load: '100of10k',
  kind: 'busy',
  title: 'Busy among idle',
  n: 10_000,
  unit: 'times the speed of 100 alone',
  quick: false,
  busy: 100,
  idle: 9_900,
};

function udp(load: string, inFlight: number): UdpCell {
  return {
    ...EVERY_ROUND,
    id: `udp/${load}`,
    workload: 'udp',
    load,
    kind: 'udp',
    title: 'UDP echo',
    n: 64,
    unit: 'datagrams per server CPU-second',
    quick: false,
    messageBytes: 64,
    inFlight,
    connections: CONNECTIONS,
  };
}

function latency(load: string, rateOf: LatencyCell['rateOf']): LatencyCell {
  return {
    id: `latency/${load}`,
    workload: 'latency',
    load,
    kind: 'latency',
    title: 'Latency',
    n: 64,
    unit: 'us at p99',
    better: 'lower',
    quick: false,
    samplesMax: Number.POSITIVE_INFINITY,
    messageBytes: 64,
    connections: CONNECTIONS,
    rateOf,
  };
}

function client(service: ClientCell['service']): ClientCell {
  return {
    ...EVERY_ROUND,
    id: `client/${service}`,
    workload: 'client',
    load: service,
    kind: 'client',
    title: 'Client',
    n: 1,
    unit: 'requests per client CPU-second',
    quick: false,
    service,
  };
}

export const NETWORK_CELLS = [
  echo('64B', 64, 1, true),
  echo('64Bx16', 64, 16, true),
  echo('16KiB', 16_384, 1, true),
  echo('256KiB', 262_144, 1, false),
  churn,
  idle,
  busy,
  udp('64B', 1),
  // More would not fit into the receive buffer that Linux gives a socket by default.
  udp('64Bx4', 4),
  latency('same-rate', 'node'),
  latency('own-rate', 'own'),
  client('pg'),
  client('redis'),
] as const;
