import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BufferPool, type PooledBuffer } from '../../lib/buffer/index.js';
import { CLASS_BYTES, CLASS_BYTES_MAX, classOf } from '../../lib/buffer/size-class.js';

describe('size classes', () => {
  test('the class of a size is the smallest that holds it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: CLASS_BYTES_MAX }), (bytes) => {
        const index = classOf(bytes);
        expect(CLASS_BYTES[index]).toBeGreaterThanOrEqual(bytes);
        if (index > 0) expect(CLASS_BYTES[index - 1]).toBeLessThan(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  test('no class wastes more than a fifth above its predecessor', () => {
    for (let i = 1; i < CLASS_BYTES.length; i++) {
      expect((CLASS_BYTES[i] as number) / (CLASS_BYTES[i - 1] as number)).toBeLessThanOrEqual(1.25);
    }
  });
});

describe('BufferPool', () => {
  test('gives zeroed memory of exactly the length asked for, even when the slab was dirty', () => {
    const pool = new BufferPool();
    for (let i = 0; i < 3; i++) {
      const buffer = pool.acquire(1000 + i);
      expect(buffer.bytes.length).toBe(1000 + i);
      expect(buffer.bytes.every((byte) => byte === 0)).toBe(true);
      buffer.bytes.fill(255);
      buffer.release();
    }
    expect(pool.stats()).toMatchObject({ acquired: 0, hits: 2, misses: 1 });
  });

  test('a slab never has two owners, and every byte is accounted for, under any order of use', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 5000 })), { maxLength: 200 }), (steps) => {
        const pool = new BufferPool({ highWaterBytes: 20_000 });
        const held: PooledBuffer[] = [];
        for (const [take, size] of steps) {
          if (take) held.push(pool.acquireUnsafe(size));
          else held.splice(size % Math.max(1, held.length), 1)[0]?.release();
          const slabs = new Set(held.map((buffer) => buffer.bytes.buffer));
          expect(slabs.size).toBe(held.length);
          const stats = pool.stats();
          expect(stats.acquired).toBe(held.length);
          expect(stats.acquiredBytes).toBe(held.reduce((sum, buffer) => sum + buffer.bytes.buffer.byteLength, 0));
          expect(stats.freeBytes).toBeLessThanOrEqual(20_000);
        }
      }),
    );
  });

  test('a released buffer is dead: its bytes, and a second release', () => {
    const pool = new BufferPool();
    const buffer = pool.acquire(10);
    buffer.release();
    expect(() => buffer.release()).toThrow(expect.objectContaining({ code: 'ERR_MILLRACE_BUFFER_RELEASED' }));
    expect(() => buffer.bytes).toThrow(expect.objectContaining({ code: 'ERR_MILLRACE_BUFFER_RELEASED' }));
    buffer[Symbol.dispose]();
    expect(pool.stats().acquired).toBe(0);
  });

  test("another pool's buffer, and what is no buffer, are refused", () => {
    const buffer = new BufferPool().acquire(10);
    const pool = new BufferPool();
    expect(() => pool.release(buffer)).toThrow(expect.objectContaining({ code: 'ERR_MILLRACE_BUFFER_FOREIGN' }));
    expect(() => pool.release({} as PooledBuffer)).toThrow(TypeError);
    expect(buffer.released).toBe(false);
  });

  test('using releases at the end of the block', () => {
    const pool = new BufferPool();
    {
      using buffer = pool.acquire(100);
      expect(buffer.released).toBe(false);
      expect(pool.stats().acquired).toBe(1);
    }
    expect(pool.stats().acquired).toBe(0);
  });

  test('above the high-water mark memory goes back to the system', () => {
    const pool = new BufferPool({ highWaterBytes: 2048 });
    const buffers = Array.from({ length: 4 }, () => pool.acquire(1024));
    for (const buffer of buffers) buffer.release();
    expect(pool.stats()).toMatchObject({ freeBytes: 2048, returned: 2 });
    pool.clear();
    expect(pool.stats()).toMatchObject({ freeBytes: 0, returned: 4 });
  });

  test('more than a megabyte is served, and not kept', () => {
    const pool = new BufferPool();
    pool.acquire(CLASS_BYTES_MAX + 1).release();
    expect(pool.stats()).toMatchObject({ freeBytes: 0, returned: 1 });
  });

  test.each([-1, 1.5, Number.NaN, '10', undefined, 2 ** 33])(
    '%s bytes are refused with the argument named',
    (bytes) => {
      expect(() => new BufferPool().acquire(bytes as number)).toThrow(/^bytes must be/);
    },
  );

  test('a slab that was transferred away is not given to the next one (acquire threw for a stranger)', () => {
    const pool = new BufferPool();
    const buffer = pool.acquire(100);
    const memory = buffer.bytes.buffer as ArrayBuffer;
    structuredClone(memory, { transfer: [memory] });
    buffer.release();
    expect(pool.stats()).toMatchObject({ acquired: 0, acquiredBytes: 0, freeBytes: 0, returned: 1 });
    expect(pool.acquire(100).bytes.length).toBe(100);
  });
});
