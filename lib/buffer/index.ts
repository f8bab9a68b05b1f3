// millrace/buffer: pooled memory.
export { BufferPool, type BufferPoolOptions, type BufferPoolStats, PooledBuffer } from './pool.js';
