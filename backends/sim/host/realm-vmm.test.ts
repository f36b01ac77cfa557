import { describe, expect, it } from 'vitest';

import { PetriError } from '../../../petri/errors.ts';
import { createCpu, DRAM_OFFSET, LinearMemory } from '../cpu/index.ts';
import { PhysicalMemory } from '../machine/index.ts';
import { HostCallLayout, type Plane0Program, PlaneEnter, PlaneExit, Psci, Ripas, Rmm, Rsi } from '../rmm/index.ts';
import {
  type EnterResult,
  GranuleAllocator,
  RAM_BASE,
  RealmVmm,
  type RealmVmmOptions,
  type RecHandle,
} from './index.ts';

const MIB = 2 ** 20;
const CODE = RAM_BASE + 0x20_0000;

interface Made {
  readonly vmm: RealmVmm;
  readonly granules: GranuleAllocator;
  readonly linear: LinearMemory;
}

function makeVmm(options: Partial<RealmVmmOptions> = {}, dram = 16 * MIB): Made {
  const linear = new LinearMemory(DRAM_OFFSET + dram);
  const memory = new PhysicalMemory(linear, DRAM_OFFSET, dram);
  const granules = new GranuleAllocator(memory);
  const rmm = new Rmm({ memory, cpu: createCpu(linear) });
  return { vmm: new RealmVmm({ rmm, memory, granules, ...options }), granules, linear };
}

/** A realm whose plane 0 is guest code. */
function boot(code: readonly number[], gprs: readonly bigint[] = [], options: Partial<RealmVmmOptions> = {}) {
  const made = makeVmm(options);
  made.vmm.populate(CODE, new Uint8Array(Uint32Array.from(code).buffer));
  const rec = made.vmm.createRec({ pc: BigInt(CODE), gprs });
  made.vmm.activate();
  return { ...made, rec };
}

/** Enters the REC repeatedly until it halts or is interrupted. */
function runOn(vmm: RealmVmm, rec: RecHandle, budget = 20_000): EnterResult {
  for (let n = 0; n < 200; n++) {
    const result = vmm.enter(rec, budget);
    if (result.kind !== 'continue' || result.interrupted) return result;
  }
  throw new Error('the realm makes no progress');
}

/** A64 encodings, as an assembler would produce them. */
const A64 = {
  /** movz xd, #imm16, lsl #(16*hw) */
  movz: (d: number, imm: number, hw = 0) => (0xd2800000 | (hw << 21) | (imm << 5) | d) >>> 0,
  movk: (d: number, imm: number, hw = 0) => (0xf2800000 | (hw << 21) | (imm << 5) | d) >>> 0,
  /** str xt, [xn] and the like */
  str: (t: number, n: number) => (0xf9000000 | (n << 5) | t) >>> 0,
  ldr: (t: number, n: number) => (0xf9400000 | (n << 5) | t) >>> 0,
  ldrsb: (t: number, n: number) => (0x39800000 | (n << 5) | t) >>> 0,
  strh: (t: number, n: number) => (0x79000000 | (n << 5) | t) >>> 0,
  smc: 0xd4000003,
  hvc: 0xd4000002,
  self: 0x14000000,
};
const fidTo0 = (fid: number) => [A64.movz(0, fid & 0xffff), A64.movk(0, fid >>> 16, 1)];
const view = (vmm: RealmVmm) => vmm.view.context(0, 0);

describe('a realm with kvmtool’s defaults', () => {
  it('has RAM at 0x80000000 and nothing elsewhere', () => {
    const { vmm } = makeVmm();
    const ripas = (ipa: number) => vmm.view.ripas(ipa);
    expect([ripas(0), ripas(RAM_BASE), ripas(RAM_BASE + 512 * MIB - 1)]).toEqual([Ripas.Empty, Ripas.Ram, Ripas.Ram]);
    expect([ripas(RAM_BASE + 512 * MIB), ripas(0xffff_0000), ripas(2 ** 32)]).toEqual([
      Ripas.Empty,
      Ripas.Empty,
      undefined,
    ]);
    expect([vmm.view.ipaWidth, vmm.view.numAuxPlanes, vmm.view.hashAlgorithm]).toEqual([33, 1, 'sha-256']);
  });

  it('has the same RIM every time, unless its content differs', () => {
    const rim = (content: number) => {
      const { vmm } = makeVmm();
      vmm.populate(CODE, Uint8Array.of(content));
      vmm.createRec({ pc: BigInt(CODE) });
      return Buffer.from(vmm.view.measurements().rim).toString('hex');
    };
    expect(rim(1)).toBe(rim(1));
    expect(rim(1)).not.toBe(rim(2));
  });

  it.each([33, 34, 36, 40, 44, 48])('can be %i bits wide', (ipaWidth) => {
    const { vmm, rec } = boot([A64.self], [], { ipaWidth });
    expect(vmm.view.ipaWidth).toBe(ipaWidth);
    expect(rec.index).toBe(0);
  });

  it('must have its RAM in the protected half', () => {
    expect(() => makeVmm({ ipaWidth: 32 })).toThrow(/do not fit.*32 bits\n.*set ipaWidth to 33/);
    expect(() => makeVmm({ ram: 2 ** 31 + 2 * MIB })).toThrow(/set ipaWidth to 34/);
  });

  it('reports which command failed', () => {
    const { vmm } = makeVmm();
    vmm.activate();
    expect(() => vmm.activate()).toThrow(PetriError);
    expect(() => vmm.activate()).toThrow(/RMI_REALM_ACTIVATE\(0x[0-9a-f]+.*RMI_ERROR_REALM\|0/);
  });

  it('reports a machine that is too small', () => {
    const { vmm } = makeVmm({}, 16 * 4096);
    expect(() => vmm.createRec({ pc: 0n })).toThrow(/no 1 granules of physical memory left/);
  });
});

describe('plane 0 as guest code', () => {
  it('runs, with its registers set', () => {
    const { vmm, rec } = boot([A64.movz(1, 0x55), A64.self], [7n]);
    expect(runOn(vmm, rec)).toEqual({ kind: 'continue', interrupted: true });
    expect([view(vmm)?.x(0), view(vmm)?.x(1)]).toEqual([7n, 0x55n]);
  });

  it('makes RSI calls', () => {
    const { vmm, rec } = boot([...fidTo0(Rsi.VERSION), A64.movz(1, 1, 1), A64.smc, A64.self]);
    runOn(vmm, rec);
    expect([0, 1, 2].map((n) => view(vmm)?.x(n))).toEqual([0n, 0x1_0000n, 0x1_0001n]);
  });

  it('gets memory as it touches it', () => {
    const { vmm, rec, granules } = boot(
      [A64.movz(2, 0x99), A64.str(2, 1), A64.ldr(3, 1), A64.self],
      [0n, 0x9000_0000n],
    );
    const before = granules.available;
    runOn(vmm, rec);
    expect(view(vmm)?.x(3)).toBe(0x99n);
    expect(before - granules.available).toBe(2);
  });

  it('turns itself off', () => {
    const { vmm, rec } = boot([...fidTo0(Psci.SYSTEM_OFF), A64.smc, A64.self]);
    expect(runOn(vmm, rec)).toEqual({ kind: 'system-off' });
    expect(() => vmm.enter(rec, 1)).toThrow(/RMI_REC_ENTER.*RMI_ERROR_REALM\|1/);
  });

  it('resets itself', () => {
    const { vmm, rec } = boot([...fidTo0(Psci.SYSTEM_RESET), A64.smc]);
    expect(runOn(vmm, rec)).toEqual({ kind: 'system-reset' });
  });

  it('turns another vCPU on', () => {
    const { vmm } = makeVmm();
    const code = [...fidTo0(Psci.CPU_ON64), A64.smc, A64.self];
    vmm.populate(CODE, new Uint8Array(Uint32Array.from(code).buffer));
    const first = vmm.createRec({ pc: BigInt(CODE), gprs: [0n, 1n, BigInt(CODE + 12), 0x77n] });
    const second = vmm.createRec({ pc: 0n, runnable: false });
    vmm.activate();
    expect(second.runnable).toBe(false);
    runOn(vmm, first);
    expect([second.runnable, view(vmm)?.x(0)]).toEqual([true, 0n]);
    runOn(vmm, second);
    expect(vmm.view.context(1, 0)?.x(0)).toBe(0x77n);
    expect(vmm.view.context(1, 0)?.pc).toBe(BigInt(CODE + 12));
  });

  it('reads all ones and writes nothing at addresses without a device', () => {
    const { vmm, rec } = boot([A64.str(2, 1), A64.ldr(3, 1), A64.ldrsb(4, 1), A64.self], [0n, 0x1_0900_0000n]);
    runOn(vmm, rec);
    expect([view(vmm)?.x(3), view(vmm)?.x(4)]).toEqual([2n ** 64n - 1n, 2n ** 64n - 1n]);
  });

  it('reaches devices in the unprotected half', () => {
    const { vmm, rec } = boot([A64.strh(2, 1), A64.ldrsb(3, 1), A64.self], [0n, 0x1_0900_0018n, 0x1_2345n]);
    const log: unknown[] = [];
    vmm.mmio.attach({
      base: 0x0900_0000,
      bytes: 0x1000,
      read: (offset, bytes) => (log.push(['read', offset, bytes]), 0x80n),
      write: (offset, bytes, value) => log.push(['write', offset, bytes, value]),
    });
    runOn(vmm, rec);
    expect(log).toEqual([
      ['write', 0x18, 2, 0x2345n],
      ['read', 0x18, 1],
    ]);
    expect(view(vmm)?.x(3)).toBe(2n ** 64n - 0x80n);
  });

  it('shares RAM with the host through the unprotected half', () => {
    const { vmm, rec } = boot([A64.str(2, 1), A64.ldr(3, 1), A64.self], [0n, 0x1_8000_0000n, 0x5an]);
    runOn(vmm, rec);
    expect(view(vmm)?.x(3)).toBe(0x5an);
    expect(vmm.view.permissions(1, 0x1_8000_0000)).toBe('rw');
  });

  it('gives RAM up, and the host reclaims it', () => {
    const set = [A64.movz(1, 0x9000, 1), A64.movz(2, 0x9000, 1), A64.movk(2, 0x1000), ...fidTo0(Rsi.IPA_STATE_SET)];
    const code = [A64.movz(5, 0x9000, 1), A64.str(5, 5), ...set, A64.movz(3, 0), A64.smc, A64.self];
    const { vmm, rec, granules } = boot(code);
    const before = granules.available;
    runOn(vmm, rec);
    expect([view(vmm)?.x(0), view(vmm)?.x(1), view(vmm)?.x(2)]).toEqual([0n, 0x9000_1000n, 0n]);
    expect(vmm.view.ripas(0x9000_0000)).toBe(Ripas.Empty);
    expect(before - granules.available).toBe(1);
  });

  it('cannot set RIPAS to RAM outside of its RAM', () => {
    const code = [A64.movz(2, 0x1000), ...fidTo0(Rsi.IPA_STATE_SET), A64.movz(3, 1), A64.smc, A64.self];
    const { vmm, rec } = boot(code);
    runOn(vmm, rec);
    expect([view(vmm)?.x(0), view(vmm)?.x(1), view(vmm)?.x(2)]).toEqual([0n, 0n, 1n]);
  });

  it('calls the host', () => {
    const { vmm, rec } = boot(
      [A64.str(2, 1), ...fidTo0(Rsi.HOST_CALL), A64.smc, A64.ldr(3, 4), A64.self],
      [0n, 0x9000_0000n, 0x7n, 0n, 0x9000_0000n + BigInt(HostCallLayout.gprs)],
    );
    vmm.onHostCall((imm, gprs) => (gprs[0] = BigInt(imm) + 1n));
    runOn(vmm, rec);
    expect(view(vmm)?.x(3)).toBe(8n);
  });
});

describe('destroying a realm', () => {
  it('gives every granule back', () => {
    const { vmm, rec, granules } = boot(
      [A64.str(2, 1), A64.str(2, 3), A64.self],
      [0n, 0x9000_0000n, 1n, 0x1_8000_0000n],
    );
    runOn(vmm, rec);
    const all = (16 * MIB) / 4096;
    expect(granules.available).toBeLessThan(all);
    vmm.destroy();
    expect(granules.available).toBe(all);
    expect(() => vmm.view).toThrow('destroyed');
  });
});

describe('plane 1 under a plane 0 in TypeScript', () => {
  const RUN_PAGE = RAM_BASE + 0x1000;

  /** Opens the 2 MiB at CODE to plane 1 and enters it repeatedly; `exits` are ESR and PC of each exit. */
  function program(exits: { ec: number; pc: number; x: bigint[] }[], flags: number, pc = CODE): Plane0Program {
    return function* (port) {
      const smc = { kind: 'smc' } as const;
      const call = (...values: (number | bigint)[]) => {
        port.x.fill(0n);
        values.forEach((value, n) => (port.x[n] = BigInt(value)));
      };
      call(Rsi.MEM_SET_PERM_VALUE, 1, 2, 15);
      yield smc;
      call(Rsi.MEM_SET_PERM_INDEX, CODE, CODE + 2 * MIB, 2, 0);
      yield smc;
      expect([...port.x.slice(0, 4)]).toEqual([0n, BigInt(CODE + 2 * MIB), 0n, 0n]);
      while (port.locate(RUN_PAGE, true) < 0) yield { kind: 'access', ipa: RUN_PAGE, write: true };
      const page = port.locate(RUN_PAGE, true);
      const { view, u8 } = port.linear;
      view.setUint32(page + PlaneEnter.flags, flags, true);
      view.setBigUint64(page + PlaneEnter.pc, BigInt(pc), true);
      view.setBigUint64(page + PlaneEnter.pstate, 0x3c5n, true);
      for (let n = 0; n < 3; n++) {
        call(Rsi.PLANE_ENTER, 1, RUN_PAGE);
        yield smc;
        expect(port.x[0]).toBe(0n);
        exits.push({
          ec: view.getUint32(page + PlaneExit.esr, true) >>> 26,
          pc: Number(view.getBigUint64(page + PlaneExit.pc, true)),
          x: [0, 1, 2].map((r) => view.getBigUint64(page + PlaneExit.gprs + r * 8, true)),
        });
        u8.copyWithin(page + PlaneEnter.gprs, page + PlaneExit.gprs, page + PlaneExit.gprs + 248);
        view.setBigUint64(page + PlaneEnter.pc, view.getBigUint64(page + PlaneExit.pc, true), true);
      }
      for (;;) yield { kind: 'park' };
    };
  }

  function run(code: readonly number[], flags = 0, pc = CODE) {
    const exits: { ec: number; pc: number; x: bigint[] }[] = [];
    const { vmm } = makeVmm();
    vmm.populate(CODE, new Uint8Array(Uint32Array.from(code).buffer));
    vmm.setPlane0(program(exits, flags, pc));
    const rec = vmm.createRec({ pc: 0n });
    vmm.activate();
    const result = runOn(vmm, rec);
    return { vmm, exits, result };
  }

  it('exits for HVC and SMC with the PC after the instruction', () => {
    const { exits } = run([A64.movz(0, 5), A64.hvc, A64.movz(1, 6), A64.smc, A64.self]);
    expect(exits.slice(0, 2)).toMatchObject([
      { ec: 0x16, pc: CODE + 8, x: [5n, 0n, 0n] },
      { ec: 0x17, pc: CODE + 16, x: [5n, 6n, 0n] },
    ]);
  });

  it('exits for accesses to EMPTY memory and to memory of plane 0', () => {
    const { exits } = run([A64.movz(1, 0xffff, 1), A64.str(0, 1), A64.self]);
    expect(exits[0]).toMatchObject({ ec: 0x24, pc: CODE + 4 });
    const toPlane0 = run([A64.movz(1, 0x8000, 1), A64.movk(1, 0x1000), A64.ldr(0, 1), A64.self]);
    expect(toPlane0.exits[0]).toMatchObject({ ec: 0x24, pc: CODE + 8 });
  });

  it.each([
    ['outside of the protected half', 0xffff_0000_0000],
    ['EMPTY', 0],
    ['of plane 0', RUN_PAGE],
  ])('exits for a fetch from memory %s', (_, pc) => {
    const { exits } = run([A64.self], 0, pc);
    expect(exits[0]).toMatchObject({ ec: 0x20, pc });
  });

  it('gets RAM from the host without an exit to plane 0', () => {
    const code = [A64.movz(1, 0x8020, 1), A64.movk(1, 0x8000), A64.str(1, 1), A64.ldr(2, 1), A64.hvc];
    const { exits } = run(code);
    expect(exits[0]).toMatchObject({ ec: 0x16, x: [0n, 0x8020_8000n, 0x8020_8000n] });
  });

  it('is interrupted in an endless loop', () => {
    const { exits, result, vmm } = run([A64.self]);
    expect([exits, result]).toEqual([[], { kind: 'continue', interrupted: true }]);
    expect(vmm.view.activePlane(0)).toBe(1);
    expect(vmm.view.context(0, 1)?.pc).toBe(BigInt(CODE));
  });
});
