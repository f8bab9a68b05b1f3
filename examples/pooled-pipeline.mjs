// A pipeline in three stages: one fiber fills buffers, several work on them, one adds up. The channels are bounded, so a
// slow stage slows the one before it, and a few buffers serve any number of blocks.
// Run: node examples/pooled-pipeline.mjs [blocks]
import { scope } from 'millrace';
import { BufferPool } from 'millrace/buffer';
import { CLOSED, channel } from 'millrace/sync';

const BLOCKS = Number(process.argv[2] ?? 10_000);
const BLOCK_BYTES = 4096;
const WORKERS = 4;
const CAPACITY = 8;

const pool = new BufferPool();

function* produce(blocks) {
  for (let i = 0; i < BLOCKS; i++) {
    const block = pool.acquire(BLOCK_BYTES);
    block.bytes.fill(i & 0xff);
    yield* blocks.send(block);
  }
  // What was sent still arrives; after it, each receiver gets CLOSED.
  blocks.close();
}

function* work(id, blocks, sums) {
  let done = 0;
  for (let block = yield* blocks.recv(); block !== CLOSED; block = yield* blocks.recv()) {
    let sum = 0;
    for (const byte of block.bytes) sum += byte;
    block.release();
    yield* sums.send(sum);
    done++;
  }
  return { id, done };
}

function* addUp(sums) {
  let total = 0;
  for (let sum = yield* sums.recv(); sum !== CLOSED; sum = yield* sums.recv()) total += sum;
  return total;
}

function* pipeline(tasks) {
  const [blocksIn, blocksOut] = channel(CAPACITY);
  const [sumsIn, sumsOut] = channel(CAPACITY);
  tasks.spawn(produce(blocksIn));
  const workers = [];
  for (let id = 0; id < WORKERS; id++) workers.push(tasks.spawn(work(id, blocksOut, sumsIn)));
  const total = tasks.spawn(addUp(sumsOut));
  for (const worker of workers) {
    const { id, done } = yield* worker;
    console.log(`worker ${id}: ${done > 0 ? 'had work' : 'had none'}`);
  }
  sumsIn.close();
  return yield* total;
}

const total = await scope(pipeline);
const { acquired, misses } = pool.stats();
console.log(`${BLOCKS} blocks, sum ${total}`);
// One for each place in the channel and each worker, and the one that the producer holds.
console.log(`buffers allocated: ${misses <= CAPACITY + WORKERS + 1 ? `at most ${CAPACITY + WORKERS + 1}` : misses}`);
console.log(`buffers not released: ${acquired}`);
