import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { pass } from '../../testing/device-bench.ts';
import { TestDriver } from '../../testing/virtio-driver.ts';
import { BufferedSink } from '../uart/byte-sink.ts';
import { VirtioBlock } from './block.ts';
import { VirtioConsole } from './console.ts';
import { FileImage, memoryImage, OverlayDisk } from './disk.ts';
import { VirtioEntropy } from './entropy.ts';

const SECTOR = 512;
const LATENCY = 20_000;
const [IN, OUT, FLUSH, GET_ID] = [0, 1, 4, 8] as const;
const [OK, IOERR, UNSUPP] = [0, 1, 2] as const;

function header(type: number, sector: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setBigUint64(8, BigInt(sector), true);
  return bytes;
}

describe('VirtioBlock', () => {
  const image = Uint8Array.from({ length: 300 * SECTOR }, (_, n) => Math.floor(n / SECTOR));
  const made = (readOnly = false) => {
    const disk = new OverlayDisk(memoryImage(image));
    return new TestDriver(new VirtioBlock({ disk, serial: 'petri-0', readOnly })).start();
  };
  /** A request, and its status and data when it is done. */
  const request = (driver: TestDriver, type: number, sector: number, data: Uint8Array | number) => {
    driver.used(0);
    const addresses = driver.add(0, [header(type, sector), data, 1]);
    pass(driver.clock, 10 * LATENCY);
    const [, at = 0, status = 0] = addresses;
    const bytes = typeof data === 'number' ? driver.memory.at(at, data).slice() : data;
    return { status: driver.memory.at(status, 1)[0], bytes, used: driver.used(0) };
  };

  it('has the capacity of its disk, in sectors', () => {
    const { read } = made();
    expect([read(8), read(0x100), read(0x104), read(0x10c), read(0x114)]).toEqual([2, 300, 0, 254, 512]);
  });

  it('reads and writes sectors, of the image and of what was written', () => {
    const driver = made();
    const before = request(driver, IN, 127, 3 * SECTOR);
    expect([before.status, before.used]).toEqual([OK, [[0, 3 * SECTOR + 1]]]);
    expect([before.bytes[0], before.bytes[SECTOR], before.bytes[2 * SECTOR]]).toEqual([127, 128, 129]);
    expect(request(driver, OUT, 128, new Uint8Array(SECTOR).fill(0xee)).status).toBe(OK);
    const after = request(driver, IN, 127, 3 * SECTOR);
    expect([after.bytes[0], after.bytes[SECTOR], after.bytes[2 * SECTOR]]).toEqual([127, 0xee, 129]);
    expect(image[128 * SECTOR]).toBe(128);
    expect(request(driver, FLUSH, 0, 0).status).toBe(OK);
  });

  it('takes its time, and says what disk it is', () => {
    const driver = made();
    pass(driver.clock, LATENCY);
    const [, id = 0] = driver.add(0, [header(GET_ID, 0), 20, 1]);
    pass(driver.clock, LATENCY - 1);
    expect(driver.used(0)).toEqual([]);
    pass(driver.clock, 1);
    expect(driver.used(0)).toEqual([[0, 21]]);
    expect(Buffer.from(driver.memory.at(id, 20)).toString()).toBe('petri-0'.padEnd(20, '\0'));
  });

  it('fails what is beyond its end, of no sectors, unknown, or a write while it is read-only', () => {
    const driver = made();
    expect(request(driver, IN, 299, 2 * SECTOR).status).toBe(IOERR);
    expect(request(driver, OUT, 2 ** 53, new Uint8Array(SECTOR)).status).toBe(IOERR);
    expect(request(driver, IN, 0, 100).status).toBe(IOERR);
    expect(request(driver, 99, 0, SECTOR).status).toBe(UNSUPP);
    expect(request(made(true), OUT, 0, new Uint8Array(SECTOR)).status).toBe(IOERR);
    driver.add(0, [header(IN, 0)]);
    driver.add(0, [Uint8Array.of(1), 1]);
    pass(driver.clock, 10 * LATENCY);
    expect([driver.failed, driver.used(0).length]).toEqual([false, 2]);
  });

  it('keeps what was written in its saved state, which later writes do not change', () => {
    const driver = made();
    request(driver, OUT, 5, new Uint8Array(SECTOR).fill(1));
    const state = driver.transport.save();
    request(driver, OUT, 5, new Uint8Array(SECTOR).fill(2));
    expect(request(driver, IN, 5, SECTOR).bytes[0]).toBe(2);
    const other = made();
    other.transport.restore(structuredClone({ ...state, queues: other.transport.save().queues }));
    expect(request(other, IN, 5, SECTOR).bytes[0]).toBe(1);
    driver.transport.restore({ ...state, queues: driver.transport.save().queues });
    expect(request(driver, IN, 5, SECTOR).bytes[0]).toBe(1);
    expect(request(driver, IN, 6, SECTOR).bytes[0]).toBe(6);
  });

  it('has a file as its image', () => {
    const folder = mkdtempSync(join(tmpdir(), 'disk-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const path = join(folder, 'disk');
    writeFileSync(path, image.subarray(0, 200 * SECTOR + 100));
    using file = new FileImage(path);
    const disk = new OverlayDisk(file);
    const driver = new TestDriver(new VirtioBlock({ disk, serial: '' })).start();
    expect(driver.read(0x100)).toBe(200);
    expect(request(driver, IN, 199, SECTOR)).toMatchObject({ status: OK });
    expect(request(driver, OUT, 199, new Uint8Array(SECTOR).fill(3)).status).toBe(OK);
    expect(request(driver, IN, 198, 2 * SECTOR).bytes.subarray(SECTOR - 1, SECTOR + 1)).toEqual(Uint8Array.of(198, 3));
  });
});

describe('VirtioEntropy', () => {
  const bytesOf = (driver: TestDriver, length: number) => {
    const [address = 0] = driver.add(0, [length]);
    expect(driver.used(0)).toEqual([[0, length]]);
    return driver.memory.at(address, length).slice();
  };
  const made = (seed: number) => new TestDriver(new VirtioEntropy(Uint8Array.of(seed))).start();

  it('has the same bytes for the same seed, and others later and for another', () => {
    const [one, same, other] = [made(1), made(1), made(2)];
    const first = bytesOf(one, 40);
    expect(new Set(first).size).toBeGreaterThan(20);
    expect(bytesOf(same, 40)).toEqual(first);
    expect(bytesOf(other, 40)).not.toEqual(first);
    expect(bytesOf(one, 40)).not.toEqual(first);
  });

  it('continues from saved state', () => {
    const one = made(1);
    bytesOf(one, 100_000);
    const other = made(1);
    const { device } = structuredClone(one.transport.save());
    other.transport.restore({ ...other.transport.save(), device });
    pass(one.clock, 100_000);
    const [fromOne = 0] = one.add(0, [32]);
    const [fromOther = 0] = other.add(0, [32]);
    expect(other.memory.at(fromOther, 32)).toEqual(one.memory.at(fromOne, 32));
  });
});

describe('VirtioConsole', () => {
  const [DEVICE_READY, PORT_READY, PORT_OPEN] = [0, 3, 6] as const;
  const made = () => {
    const written = ['', ''];
    const sinks = written.map(
      (_, port) =>
        new BufferedSink((chunk) => (written[port] = `${written[port] ?? ''}${String.fromCharCode(...chunk)}`)),
    );
    const device = new VirtioConsole({
      ports: sinks.map((output, port) => ({ name: `port.${String(port)}`, console: port === 0, output })),
      size: { columns: 100, rows: 30 },
    });
    const driver = new TestDriver(device).start();
    return { device, driver, text: (port: number) => (sinks[port]?.flush(), written[port]) };
  };
  const message = (port: number, event: number, value: number) => {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, port, true);
    view.setUint16(4, event, true);
    view.setUint16(6, value, true);
    return bytes;
  };
  /** Control messages that the device sent, into buffers that are given to it now. */
  const messages = (driver: TestDriver, count: number) => {
    const addresses = Array.from({ length: count }, (_, n) => driver.add(2, [64], n)[0] ?? 0);
    pass(driver.clock, 100_000);
    return driver.used(2).map(([head, length]) => {
      const bytes = driver.memory.at(addresses[head] ?? 0, length);
      const view = driver.memory.view(addresses[head] ?? 0, 8);
      return [view.getUint32(0, true), view.getUint16(4, true), String.fromCharCode(...bytes.subarray(8))];
    });
  };

  it('introduces its ports by control messages', () => {
    const { device, driver } = made();
    expect([driver.read(8), driver.read(0x100), driver.read(0x104)]).toEqual([3, (30 << 16) | 100, 2]);
    driver.add(3, [message(0xffff_ffff, DEVICE_READY, 1)]);
    expect(messages(driver, 4)).toEqual([
      [0, 1, ''],
      [1, 1, ''],
    ]);
    const again = made();
    again.driver.add(3, [message(0, PORT_READY, 1)]);
    again.driver.add(3, [message(1, PORT_READY, 1)]);
    pass(again.driver.clock, 100_000);
    expect(messages(again.driver, 8)).toEqual([
      [0, 4, ''],
      [0, 7, 'port.0'],
      [0, 5, '\x1e\0\x64\0'],
      [0, 6, ''],
      [1, 7, 'port.1'],
      [1, 6, ''],
    ]);
    driver.add(3, [message(1, PORT_OPEN, 1)]);
    pass(driver.clock, 100_000);
    expect(device.ports.map(({ guestOpen }) => guestOpen)).toEqual([false, true]);
  });

  it('moves bytes of each port both ways, and keeps what the guest has no buffer for', () => {
    const { device, driver, text } = made();
    driver.add(1, [Buffer.from('out'), Buffer.from('put')]);
    driver.add(5, [Buffer.from('other')]);
    pass(driver.clock, 100_000);
    expect([text(0), text(1)]).toEqual(['output', 'other']);
    const [, port] = device.ports;
    port?.receive(Buffer.from('hello'));
    port?.receive(Buffer.from(' world'));
    expect(port?.unread).toBe(11);
    const [first = 0] = driver.add(4, [8]);
    pass(driver.clock, 100_000);
    const [second = 0] = driver.add(4, [8], 1);
    pass(driver.clock, 100_000);
    expect(driver.used(4)).toEqual([
      [0, 8],
      [1, 3],
    ]);
    const got = [driver.memory.at(first, 8), driver.memory.at(second, 3)];
    expect(got.map((bytes) => Buffer.from(bytes).toString())).toEqual(['hello wo', 'rld']);
    driver.add(4, [8], 2);
    pass(driver.clock, 100_000);
    port?.receive(Buffer.from('!'));
    expect(driver.used(4)).toEqual([[2, 1]]);
  });

  it('reports a new size of its terminal', () => {
    const { device, driver } = made();
    driver.add(3, [message(0, DEVICE_READY, 1)]);
    messages(driver, 2);
    driver.write(0x64, 3);
    device.resize(120, 40);
    expect([driver.read(0x100), driver.read(0x60) & 2, driver.read(0xfc)]).toEqual([(40 << 16) | 120, 2, 1]);
    expect(messages(driver, 1)).toEqual([[0, 5, '\x28\0\x78\0']]);
  });

  it('continues from saved state', () => {
    const first = made();
    first.driver.add(3, [message(0, PORT_READY, 1)]);
    first.device.ports[1]?.receive(Buffer.from('waiting'));
    const second = made();
    second.driver.memory.bytes.set(first.driver.memory.bytes);
    second.driver.transport.restore(structuredClone(first.driver.transport.save()));
    expect(second.driver.transport.save()).toEqual(first.driver.transport.save());
    expect(second.device.ports[1]?.unread).toBe(7);
    expect(messages(second.driver, 4).length).toBe(4);
  });

  it('keeps a bounded number of messages for a driver that never takes any', () => {
    const { driver } = made();
    for (let n = 0; n < 3000; n += 1) {
      driver.add(3, [message(0, DEVICE_READY, 1)]);
      driver.used(3);
      pass(driver.clock, 10_000);
    }
    expect(driver.failed).toBe(false);
    const state = driver.transport.save().device as { messages: unknown[] };
    expect(state.messages.length).toBeLessThanOrEqual(1024);
  });
});
