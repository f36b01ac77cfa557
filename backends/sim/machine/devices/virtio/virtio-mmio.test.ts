import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { expectAnyAccess, pass } from '../../testing/device-bench.ts';
import { Descriptor, QUEUE_SIZE, TestDriver } from '../../testing/virtio-driver.ts';
import { serveChains } from './serve-chains.ts';
import type { VirtioDevice, VirtioDriver } from './virtio-device.ts';

/** A device that answers each chain with the sum of its bytes. */
class Adder implements VirtioDevice<number> {
  readonly id = 42;
  readonly features = [3, 40];
  readonly queues = [64, 64];
  readonly configuration = Uint8Array.of(1, 2, 3, 4, 5);
  readonly latency: number;
  served = 0;
  resets = 0;
  driver: VirtioDriver | undefined;

  constructor(latency = 0) {
    this.latency = latency;
  }
  connect(driver: VirtioDriver): void {
    this.driver = driver;
  }
  writeConfiguration(offset: number, value: number): void {
    this.configuration[offset] = value;
  }
  serve(queue: number): void {
    if (this.driver === undefined) return;
    serveChains(this.driver, queue, (chain) => {
      this.served += 1;
      let sum = 0;
      chain.readChunks(0, chain.readableBytes, (bytes) => {
        for (const byte of bytes) sum += byte;
      });
      chain.write(0, Uint8Array.of(sum, sum >>> 8));
      return Math.min(2, chain.writableBytes);
    });
  }
  reset(): void {
    this.resets += 1;
  }
  save(): number {
    return this.served;
  }
  restore(served: number): void {
    this.served = served;
  }
}

describe('VirtioMmio', () => {
  it('is an empty slot without a device', () => {
    const { read, write } = new TestDriver();
    expect([read(0), read(4), read(8)]).toEqual([0x7472_6976, 2, 0]);
    write(0x70, 1);
    expect(read(0x70)).toBe(0);
  });

  it('identifies the device, its features, queues and configuration', () => {
    const { read, write, transport } = new TestDriver(new Adder());
    expect(read(8)).toBe(42);
    const features = [0, 1, 2].map((word) => {
      write(0x14, word);
      return read(0x10);
    });
    expect(features).toEqual([(1 << 3) | (1 << 28), 1 | (1 << 8), 0]);
    const sizes = [0, 1, 2].map((queue) => {
      write(0x30, queue);
      return read(0x34);
    });
    expect(sizes).toEqual([64, 64, 0]);
    expect([read(0x100), read(0x104), transport.read(0x101, 2), transport.read(0x103, 1)]).toEqual([
      0x0403_0201, 5, 0x0302, 4,
    ]);
    transport.write(0x102, 2, 0xaabb, 0);
    expect(read(0x100)).toBe(0xaabb_0201);
  });

  it('refuses features that were not offered, and drivers before version 1', () => {
    for (const [low, high] of [
      [1, 1],
      [0, 0],
    ] as const) {
      const { read, write } = new TestDriver(new Adder());
      write(0x24, 0);
      write(0x20, low);
      write(0x24, 1);
      write(0x20, high);
      write(0x70, 11);
      expect(read(0x70)).toBe(3);
    }
  });

  it('serves chains, direct and indirect, and interrupts until that is acknowledged', () => {
    const driver = new TestDriver(new Adder()).start();
    const [, , sum = 0] = driver.add(1, [Uint8Array.of(200, 100), Uint8Array.of(1), 1, 1]);
    expect(driver.used(1)).toEqual([[0, 2]]);
    expect([driver.memory.at(sum, 1)[0], driver.memory.at(sum + 16, 1)[0]]).toEqual([0x2d, 1]);
    expect([driver.read(0x60), driver.interrupt.level]).toEqual([1, true]);
    driver.write(0x64, 1);
    expect([driver.read(0x60), driver.interrupt.level]).toEqual([0, false]);

    const table = driver.allocate(32);
    const [data, room] = [driver.allocate(4), driver.allocate(4)];
    driver.memory.at(data, 4).set([1, 2, 3, 4]);
    driver.setDescriptor(table, 0, data, 4, Descriptor.NEXT, 1);
    driver.setDescriptor(table, 1, room, 4, Descriptor.WRITE, 0);
    driver.setDescriptor(driver.queueAt(0), 5, table, 32, Descriptor.INDIRECT, 0);
    driver.makeAvailable(0, 5);
    driver.write(0x50, 0);
    expect([driver.used(0), driver.memory.at(room, 2)]).toEqual([[[5, 2]], Uint8Array.of(10, 0)]);
    expect(driver.memory.writes).toContainEqual([room, 2]);
  });

  it('does not interrupt a driver that does not want it', () => {
    const driver = new TestDriver(new Adder()).start();
    driver.memory.view(driver.queueAt(0) + 0x400, 2).setUint16(0, 1, true);
    driver.add(0, [Uint8Array.of(1)]);
    expect([driver.used(0).length, driver.interrupt.level]).toEqual([1, false]);
  });

  it('wraps its rings', () => {
    const driver = new TestDriver(new Adder()).start();
    for (let n = 0; n < 70_000; n += 1) {
      driver.makeAvailable(0, 0);
      if (n === 0) driver.setDescriptor(driver.queueAt(0), 0, driver.allocate(2), 2, Descriptor.WRITE, 0);
      driver.write(0x50, 0);
      if (driver.used(0).length !== 1) throw new Error(`nothing was used at ${String(n)}`);
    }
    expect(driver.failed).toBe(false);
  });

  it('looks at its queues after its latency, once for all notifications', () => {
    const driver = new TestDriver(new Adder(500)).start();
    pass(driver.clock, 500);
    driver.add(0, [Uint8Array.of(1)]);
    pass(driver.clock, 400);
    driver.add(0, [Uint8Array.of(1)], 1);
    expect(driver.used(0)).toEqual([]);
    pass(driver.clock, 100);
    expect(driver.used(0).length).toBe(2);
  });

  it('rests after moving much, so that a guest pays for the work that it gives to the host', () => {
    const device = new Adder();
    const driver = new TestDriver(device).start();
    const big = driver.allocate(0x8_0000);
    for (let n = 0; n < QUEUE_SIZE; n += 1) {
      driver.setDescriptor(driver.queueAt(0), n, big, 0x8_0000, 0, 0);
      driver.makeAvailable(0, n);
    }
    driver.write(0x50, 0);
    const first = device.served;
    expect(first).toBeLessThan(QUEUE_SIZE);
    driver.write(0x50, 0);
    expect(device.served).toBe(first);
    pass(driver.clock, 10_000_000);
    expect([device.served, driver.used(0).length]).toEqual([QUEUE_SIZE, QUEUE_SIZE]);
  });

  it('starts again after a reset', () => {
    const device = new Adder();
    const driver = new TestDriver(device).start();
    driver.add(0, [Uint8Array.of(1)]);
    driver.write(0x70, 0);
    expect([driver.read(0x70), driver.read(0x60), driver.interrupt.level, device.resets]).toEqual([0, 0, false, 2]);
    driver.write(0x30, 0);
    expect(driver.read(0x44)).toBe(0);
  });

  it('continues from saved state', () => {
    const first = new TestDriver(new Adder(1000)).start();
    pass(first.clock, 1000);
    first.add(0, [Uint8Array.of(7), 2]);
    const state = structuredClone(first.transport.save());
    const second = new TestDriver(new Adder(1000));
    pass(second.clock, 1000);
    second.memory.bytes.set(first.memory.bytes);
    second.transport.restore(state);
    expect(second.transport.save()).toEqual(state);
    pass(second.clock, 1000);
    expect([second.used(0), second.interrupt.level]).toEqual([[[0, 2]], true]);
  });

  it('takes any access', () => {
    expectAnyAccess(new TestDriver(new Adder()).transport, 0x200);
    expectAnyAccess(new TestDriver(new Adder()).start().transport, 0x200);
  });
});

describe('a hostile driver', () => {
  const table = (driver: TestDriver): number => driver.queueAt(0);
  const attacks: Record<string, (driver: TestDriver) => void> = {
    'a chain that loops': (driver) => {
      driver.setDescriptor(table(driver), 0, driver.allocate(4), 4, Descriptor.NEXT, 0);
    },
    'a descriptor that the queue does not have': (driver) => {
      driver.setDescriptor(table(driver), 0, driver.allocate(4), 4, Descriptor.NEXT, QUEUE_SIZE);
    },
    'a buffer that leaves RAM': (driver) => {
      driver.setDescriptor(table(driver), 0, driver.memory.base + driver.memory.bytes.length - 4, 8, 0, 0);
    },
    'a buffer at the end of the address space': (driver) => {
      driver.setDescriptor(table(driver), 0, 0, 0xffff_ffff, Descriptor.WRITE, 0);
      driver.memory.view(table(driver), 8).setBigUint64(0, 0xffff_ffff_ffff_fff0n, true);
    },
    'something to read after something to write': (driver) => {
      driver.setDescriptor(table(driver), 0, driver.allocate(4), 4, Descriptor.WRITE | Descriptor.NEXT, 1);
      driver.setDescriptor(table(driver), 1, driver.allocate(4), 4, 0, 0);
    },
    'an indirect table inside of another': (driver) => {
      driver.setDescriptor(table(driver), 0, table(driver), 16, Descriptor.INDIRECT, 0);
    },
    'an indirect table outside of RAM': (driver) => {
      driver.setDescriptor(table(driver), 0, 16, 16, Descriptor.INDIRECT, 0);
    },
    'an indirect table of odd size': (driver) => {
      driver.setDescriptor(table(driver), 0, driver.allocate(24), 24, Descriptor.INDIRECT, 0);
    },
    'an index that is too far': (driver) => {
      driver.setAvailableIndex(0, QUEUE_SIZE + 2);
    },
  };

  it.each(Object.entries(attacks))('with %s has to reset the device', (_, attack) => {
    const device = new Adder();
    const driver = new TestDriver(device).start();
    driver.makeAvailable(0, 0);
    attack(driver);
    driver.write(0x50, 0);
    expect([driver.failed, device.served, driver.read(0x60)]).toEqual([true, 0, 2]);
    driver.write(0x50, 0);
    expect(device.served).toBe(0);
    driver.start();
    expect(driver.failed).toBe(false);
  });

  it('with a ring outside of RAM has to reset the device', () => {
    const driver = new TestDriver(new Adder()).start();
    driver.write(0x30, 0);
    driver.write(0x44, 0);
    driver.write(0x94, 0xffff_ffff);
    driver.write(0x44, 1);
    driver.write(0x50, 0);
    expect(driver.failed).toBe(true);
  });

  it('with random descriptors, rings and registers gets nothing but a reset', () => {
    const bytes = fc.uint8Array({ minLength: 0x900, maxLength: 0x900 });
    const access = fc.tuple(fc.nat(0x50), fc.oneof(fc.nat(16), fc.nat()));
    fc.assert(
      fc.property(bytes, fc.array(access, { maxLength: 20 }), fc.nat(0x20), (contents, accesses, page) => {
        const driver = new TestDriver(new Adder()).start();
        driver.memory.at(driver.queueAt(0), contents.length).set(contents);
        // Some addresses that hit.
        for (let n = 0; n < QUEUE_SIZE; n += 1) {
          const view = driver.memory.view(driver.queueAt(0) + 16 * n, 16);
          if (n % 3 !== page % 3) view.setBigUint64(0, BigInt(driver.memory.base + n * page), true);
          if (n % 2 === 0) view.setUint32(8, view.getUint32(8, true) & 0xfff, true);
        }
        driver.setAvailableIndex(0, page);
        driver.write(0x50, 0);
        for (const [register, value] of accesses) driver.write(4 * register, value);
        pass(driver.clock, 100_000_000);
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});
