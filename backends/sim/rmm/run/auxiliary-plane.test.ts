import { describe, expect, it } from 'vitest';

import {
  PlaneEnter,
  PlaneEnterFlag,
  PlaneExit,
  PlaneExitReason,
  RecEnter,
  RecEnterFlag,
  RecExit,
  RecExitReason,
  Ripas,
  Rsi,
  RsiStatus,
} from '../index.ts';
import type { RunScript, ScriptedVcpu } from '../testing/scripted-cpu.ts';
import { plane0, type Plane0Kit, RAM, runningRealm, type TestRealm } from '../testing/test-realm.ts';

const RUN_PAGE = RAM + 4096;
const PN_MEMORY = RAM + 8 * 4096;
const EC = { wfx: 0x01, simd: 0x07, hvc: 0x16, smc: 0x17, sysreg: 0x18, instructionAbort: 0x20, dataAbort: 0x24 };
const trap = (ec: number, rest: Parameters<ScriptedVcpu['trap']>[0] = {}): RunScript => {
  return (vcpu) => vcpu.trap({ ...rest, esr: ec * 2 ** 26 + (rest.esr ?? 0) });
};

/** A realm whose plane 0 fills its run page, enters plane 1 with `script`, and stores X0 after each return. */
function entering(setup: {
  flags?: number;
  script: RunScript[];
  before?: (kit: Plane0Kit) => Generator<{ kind: 'smc' }, void, void>;
}) {
  const statuses: number[] = [];
  const exits: { reason: number; pc: bigint; esr: bigint }[] = [];
  const realm = runningRealm(
    plane0(function* (kit) {
      yield* setup.before?.(kit) ?? [];
      const page = kit.locate(RUN_PAGE);
      kit.view.setUint32(page + PlaneEnter.flags, setup.flags ?? 0, true);
      kit.view.setBigUint64(page + PlaneEnter.pc, BigInt(PN_MEMORY), true);
      kit.view.setBigUint64(page + PlaneEnter.pstate, 0x3c5n, true);
      for (let n = 0; n < 31; n++) kit.view.setBigUint64(page + PlaneEnter.gprs + n * 8, BigInt(n + 1), true);
      for (;;) {
        statuses.push(yield* kit.call(Rsi.PLANE_ENTER, 1, RUN_PAGE));
        exits.push({
          reason: kit.view.getUint32(page + PlaneExit.reason, true),
          pc: kit.view.getBigUint64(page + PlaneExit.pc, true),
          esr: kit.view.getBigUint64(page + PlaneExit.esr, true),
        });
      }
    }),
  );
  realm.machine.cpu.script.push(...setup.script);
  realm.machine.rmm.interruptAfter(100_000);
  realm.enter();
  return { realm, statuses, exits };
}

function pn(realm: TestRealm) {
  const context = realm.machine.rmm.inspect(realm.rd)?.context(0, 1);
  if (context === undefined) throw new Error('plane 1 was never entered');
  return context;
}
const reason = (realm: TestRealm) => realm.run.getUint8(RecExit.reason);

describe('RSI_PLANE_ENTER', () => {
  it('loads the plane from the run page', () => {
    let seen: unknown;
    entering({
      flags: PlaneEnterFlag.trapSimd | PlaneEnterFlag.trapWfe,
      script: [
        (vcpu) => {
          const { pc, pstate, traps } = vcpu.active;
          seen = { pc, pstate, traps: { ...traps }, x0: vcpu.active.x(0), x30: vcpu.active.x(30) };
          return vcpu.trap({ esr: EC.hvc * 2 ** 26 });
        },
      ],
    });
    const traps = { wfi: false, wfe: true, simd: true };
    expect(seen).toEqual({ pc: BigInt(PN_MEMORY), pstate: 0x3c5, traps, x0: 1n, x30: 31n });
  });

  it('records an exit at the offsets of the 1.1 layout, overwriting old content', () => {
    const { realm } = entering({
      script: [
        (vcpu) => {
          const page = realm1(vcpu).subarray(0x800, 0x1000);
          page.fill(0xff);
          vcpu.active.setX(0, 0xaaaan);
          vcpu.active.setX(30, 0xbbbbn);
          vcpu.active.pstate = 0x6000_03c5;
          vcpu.active.setSysreg(0xdf12, 0x1234n);
          return vcpu.trap({
            esr: EC.dataAbort * 2 ** 26 + 0x46,
            ipa: 0xffff_0000,
            far: 0xffff_0008n,
            hpfar: 0xffff00n,
          });
        },
      ],
    });
    function realm1(vcpu: ScriptedVcpu): Uint8Array {
      const at = runPageOffset;
      return vcpu.cpu.memory.u8.subarray(at, at + 4096);
    }
    const at = realm.locate(RUN_PAGE);
    const word = (offset: number) => realm.machine.linear.view.getBigUint64(at + offset, true);
    expect(word(0x800)).toBe(BigInt(PlaneExitReason.Sync));
    expect(word(0x900)).toBe(BigInt(PN_MEMORY));
    expect(word(0x908)).toBe(BigInt(EC.dataAbort * 2 ** 26 + 0x46));
    expect(word(0x910)).toBe(0xffff_0008n);
    expect(word(0x918)).toBe(0xffff00n);
    expect(word(0x920)).toBe(0x6000_03c5n);
    expect([word(0xa00), word(0xaf0), word(0xaf8)]).toEqual([0xaaaan, 0xbbbbn, 0n]);
    expect([word(0xc08), word(0xc10)]).toEqual([0x1234n, 0n]);
    expect([word(0x808), word(0xff8)]).toEqual([0n, 0n]);
  });

  it.each<[string, number, number, number]>([
    ['plane 0', 0, RUN_PAGE, 0x3c5],
    ['a plane that does not exist', 2, RUN_PAGE, 0x3c5],
    ['an unaligned run page', 1, RUN_PAGE + 8, 0x3c5],
    ['a run page in the unprotected half', 1, 2 ** 32, 0x3c5],
    ['a run page without RAM', 1, 0x1000, 0x3c5],
    ['EL2', 1, RUN_PAGE, 0x3c9],
    ['AArch32', 1, RUN_PAGE, 0x3d3],
  ])('refuses %s', (_, plane, page, pstate) => {
    let status = -1;
    const realm = runningRealm(
      plane0(function* (kit) {
        kit.view.setBigUint64(kit.locate(RUN_PAGE) + PlaneEnter.pstate, BigInt(pstate), true);
        status = yield* kit.call(Rsi.PLANE_ENTER, plane, page);
      }),
    );
    realm.enter();
    expect(status).toBe(RsiStatus.ErrorInput);
  });
});

/** The test machine allocates pages in the same order each time, so one mapping finds the run page. */
const runPageOffset = runningRealm().locate(RUN_PAGE);

describe('an auxiliary plane', () => {
  it.each<[string, RunScript, number, number]>([
    ['HVC', (vcpu) => (vcpu.active.advancePc(4), vcpu.trap({ esr: EC.hvc * 2 ** 26 })), EC.hvc, 4],
    ['SMC', trap(EC.smc), EC.smc, 4],
    ['a system register trap', trap(EC.sysreg), EC.sysreg, 0],
    ['a data abort at an EMPTY IPA', trap(EC.dataAbort, { ipa: 0xffff_0000 }), EC.dataAbort, 0],
    ['a permission fault', trap(EC.dataAbort, { ipa: PN_MEMORY, permission: true }), EC.dataAbort, 0],
    ['a fetch from an EMPTY IPA', trap(EC.instructionAbort, { ipa: 0 }), EC.instructionAbort, 0],
    ['a fetch without permission', trap(EC.instructionAbort, { ipa: RAM, permission: true }), EC.instructionAbort, 0],
    ['a fetch outside of the IPA space', trap(EC.instructionAbort, { ipa: 0xffff_0000_0000 }), EC.instructionAbort, 0],
    ['a fetch from the unprotected half', trap(EC.instructionAbort, { ipa: 2 ** 32 }), EC.instructionAbort, 0],
  ])('exits to plane 0 for %s', (_, script, ec, advance) => {
    const { realm, statuses, exits } = entering({ script: [script] });
    expect(statuses).toEqual([RsiStatus.Success]);
    expect(exits[0]).toMatchObject({ reason: PlaneExitReason.Sync, pc: BigInt(PN_MEMORY + advance) });
    expect(Number((exits[0]?.esr ?? 0n) >> 26n)).toBe(ec);
    expect(reason(realm)).toBe(RecExitReason.Irq);
  });

  it.each([
    ['unassigned RAM', RAM + 100 * 4096, EC.dataAbort],
    ['unassigned RAM, fetched from', RAM + 100 * 4096, EC.instructionAbort],
    ['an unmapped unprotected IPA', 2 ** 32, EC.dataAbort],
  ])('exits to the host for %s, and retries', (_, ipa, ec) => {
    const { realm, statuses } = entering({ script: [trap(ec, { ipa, esr: 7 })] });
    expect([reason(realm), statuses]).toEqual([RecExitReason.Sync, []]);
    expect(realm.run.getBigUint64(RecExit.hpfar, true)).toBe(BigInt(ipa / 256));
    realm.enter();
    expect([reason(realm), pn(realm).pc]).toEqual([RecExitReason.Irq, BigInt(PN_MEMORY)]);
  });

  it('has its unprotected accesses emulated by the host', () => {
    const esr = (1 << 24) | (3 << 22) | (9 << 16) | (1 << 15) | 6;
    const { realm } = entering({ script: [trap(EC.dataAbort, { ipa: 2 ** 32 + 8, esr, far: 8n })] });
    realm.run.setBigUint64(RecEnter.gprs, 0x1234n, true);
    realm.enter(RecEnterFlag.emulMmio);
    expect([pn(realm).x(9), pn(realm).pc]).toEqual([0x1234n, BigInt(PN_MEMORY + 4)]);
  });

  it('takes an external abort for data outside of the IPA space', () => {
    const { realm } = entering({ script: [trap(EC.dataAbort, { ipa: 2 ** 40, esr: 4 })] });
    expect(pn(realm)).toMatchObject({ exceptions: [{ esr: 0x25 * 2 ** 26 + 0x210 }] });
  });

  it.each([
    [PlaneEnterFlag.trapSimd, [PlaneExitReason.Sync]],
    [0, []],
  ])('traps SIMD with flags %i', (flags, reasons) => {
    const { exits } = entering({ flags, script: [trap(EC.simd)] });
    expect(exits.map((exit) => exit.reason)).toEqual(reasons);
  });

  it('exits for WFI and WFE to plane 0, or else to the host, by their trap flags', () => {
    const trapped = entering({ flags: PlaneEnterFlag.trapWfi, script: [trap(EC.wfx)] });
    expect(trapped.exits).toMatchObject([{ pc: BigInt(PN_MEMORY + 4) }]);
    const { realm, exits } = entering({ script: [(vcpu) => ((vcpu.retired += 200_000), 0), trap(EC.wfx)] });
    realm.enter(RecEnterFlag.trapWfi);
    expect([exits.length, reason(realm), pn(realm).pc]).toEqual([0, RecExitReason.Sync, BigInt(PN_MEMORY + 4)]);
  });

  const hostCall: RunScript = (vcpu) => {
    vcpu.active.setX(0, BigInt(Rsi.HOST_CALL));
    vcpu.active.setX(1, BigInt(RAM + 2 * 4096));
    return vcpu.trap({ esr: EC.smc * 2 ** 26 });
  };

  it('makes host calls without an exit to plane 0', () => {
    const { realm, exits } = entering({ script: [hostCall] });
    expect([reason(realm), realm.run.getUint32(RecExit.plane, true)]).toEqual([RecExitReason.HostCall, 1]);
    realm.enter();
    expect([pn(realm).x(0), pn(realm).pc, exits.length]).toEqual([0n, BigInt(PN_MEMORY + 4), 0]);
  });

  it('exits to plane 0 for host calls that it traps', () => {
    const { exits } = entering({ flags: PlaneEnterFlag.trapHc, script: [hostCall] });
    expect(exits).toMatchObject([{ reason: PlaneExitReason.Sync, pc: BigInt(PN_MEMORY + 4) }]);
  });

  it('is resumed after an interrupt', () => {
    const { realm, exits } = entering({ script: [] });
    expect(reason(realm)).toBe(RecExitReason.Irq);
    realm.machine.cpu.script.push(trap(EC.hvc));
    realm.enter();
    expect(exits.length).toBe(1);
  });
});

describe('re-entering an auxiliary plane', () => {
  const interrupted = () => entering({ script: [] });

  it('goes to plane 0 when the host forces it', () => {
    const { realm, exits } = interrupted();
    realm.enter(RecEnterFlag.forceP0);
    expect(exits).toMatchObject([{ reason: PlaneExitReason.Host }]);
  });

  it('goes to plane 0 when an interrupt is pending for it', () => {
    const { realm, exits } = interrupted();
    realm.run.setUint32(RecEnter.gicv3Lrs, 27, true);
    realm.run.setUint32(RecEnter.gicv3Lrs + 4, 1 << 30, true);
    realm.enter();
    expect(exits).toMatchObject([{ reason: PlaneExitReason.Irq }]);
  });

  it('stays in the plane if that owns the interrupt', () => {
    const { realm, exits } = entering({ flags: PlaneEnterFlag.gicOwner, script: [] });
    realm.run.setUint32(RecEnter.gicv3Lrs, 27, true);
    realm.run.setUint32(RecEnter.gicv3Lrs + 4, 1 << 30, true);
    realm.enter();
    expect(exits).toEqual([]);
    expect(realm.run.getUint32(RecExit.gicv3Lrs, true)).toBe(27);
  });

  it('waits for the run page if the host has unmapped it', () => {
    const { realm, exits, statuses } = interrupted();
    const { machine } = realm;
    machine.must('DATA_DESTROY', realm.rd, RUN_PAGE);
    machine.cpu.script.push(trap(EC.smc));
    realm.enter();
    expect([reason(realm), realm.run.getBigUint64(RecExit.hpfar, true)]).toEqual([0, BigInt(RUN_PAGE / 256)]);
    expect([exits, statuses, pn(realm).pc]).toEqual([[], [], BigInt(PN_MEMORY)]);
  });
});

describe('permissions', () => {
  /** Answers a SET_PERM_INDEX exit for as much as the caller chooses. */
  function assign(realm: TestRealm, base: number, top: number, flags = 0): void {
    const result = realm.machine.call('RTT_SET_S2AP', realm.rd, realm.recs[0]?.pa ?? 0, base, top);
    if (result !== 0) throw new Error(`RTT_SET_S2AP gave ${result}`);
    realm.enter(flags);
  }

  it('are none for an auxiliary plane and all for plane 0 initially', () => {
    const view = (realm: TestRealm) => realm.machine.rmm.inspect(realm.rd);
    const realm = runningRealm();
    expect([view(realm)?.permissions(0, RAM), view(realm)?.permissions(1, RAM)]).toEqual(['rwx', '']);
    expect(view(realm)?.permissions(0, 0)).toBe('');
  });

  it('follow the index assigned to a page, which locks it', () => {
    const log: number[][] = [];
    const realm = runningRealm(
      plane0(function* (kit) {
        log.push([yield* kit.call(Rsi.MEM_SET_PERM_VALUE, 1, 2, 10)]);
        log.push([
          yield* kit.call(Rsi.MEM_SET_PERM_INDEX, RAM, RAM + 8 * 4096, 2, 0),
          ...[...kit.x.slice(1, 4)].map(Number),
        ]);
        log.push([yield* kit.call(Rsi.MEM_SET_PERM_VALUE, 1, 2, 15)]);
        log.push([yield* kit.call(Rsi.MEM_GET_PERM_VALUE, 1, 2), Number(kit.x[1])]);
        log.push([yield* kit.call(Rsi.MEM_SET_PERM_INDEX, RAM + 8 * 4096, RAM + 9 * 4096, 2, 0), Number(kit.x[1])]);
      }),
    );
    realm.enter();
    expect(reason(realm)).toBe(RecExitReason.S2apChange);
    expect(realm.run.getBigUint64(RecExit.s2apTop, true)).toBe(BigInt(RAM + 8 * 4096));
    assign(realm, RAM, RAM + 8 * 4096);
    assign(realm, RAM + 8 * 4096, RAM + 9 * 4096);
    expect(log).toEqual([[0], [0, RAM + 8 * 4096, 0, 0], [RsiStatus.ErrorInput], [0, 10], [0, RAM + 9 * 4096]]);
    const view = realm.machine.rmm.inspect(realm.rd);
    expect([
      view?.permissions(1, RAM),
      view?.permissions(1, RAM + 8 * 4096),
      view?.permissions(1, RAM + 9 * 4096),
    ]).toEqual(['rx', 'rx', '']);
    expect(realm.machine.cpu.invalidated.some(({ ipa }) => ipa === RAM)).toBe(true);
  });

  it('stay unlocked if the host rejects the request', () => {
    const log: number[] = [];
    const realm = runningRealm(
      plane0(function* (kit) {
        yield* kit.call(Rsi.MEM_SET_PERM_INDEX, RAM, RAM + 8 * 4096, 3, 0);
        log.push(Number(kit.x[1]), Number(kit.x[2]));
        log.push(yield* kit.call(Rsi.MEM_SET_PERM_VALUE, 1, 3, 15));
      }),
    );
    realm.enter();
    assign(realm, RAM, RAM + 4096, RecEnterFlag.s2apReject);
    expect(log).toEqual([RAM + 4096, 1, 0]);
  });

  it('need tables down to the last level', () => {
    const realm = runningRealm(
      plane0(function* (kit) {
        yield* kit.call(Rsi.MEM_SET_PERM_INDEX, RAM, RAM + 2 ** 21 + 4096, 3, 0);
      }),
    );
    const { machine } = realm;
    realm.enter();
    const set = (base: number) =>
      machine.call('RTT_SET_S2AP', realm.rd, realm.recs[0]?.pa ?? 0, base, RAM + 2 ** 21 + 4096);
    expect([set(RAM), machine.out(1)]).toEqual([0, RAM + 2 ** 21]);
    expect([set(RAM + 2 ** 21), machine.out(1), machine.out(2)]).toEqual([4 | (2 << 8), RAM + 2 ** 21, 0]);
    realm.createTable(RAM + 2 ** 21, 3);
    expect([set(RAM + 2 ** 21), machine.out(1)]).toEqual([0, RAM + 2 ** 21 + 4096]);
  });

  it('are reset with the page', () => {
    const realm = runningRealm(
      plane0(function* (kit) {
        yield* kit.call(Rsi.MEM_SET_PERM_VALUE, 1, 2, 15);
        yield* kit.call(Rsi.MEM_SET_PERM_INDEX, RAM + 4096, RAM + 2 * 4096, 2, 0);
        yield* kit.call(Rsi.IPA_STATE_SET, RAM + 4096, RAM + 2 * 4096, Ripas.Ram, 1);
      }),
    );
    const { machine } = realm;
    realm.enter();
    assign(realm, RAM + 4096, RAM + 2 * 4096);
    const view = machine.rmm.inspect(realm.rd);
    expect(view?.permissions(1, RAM + 4096)).toBe('rwx');
    machine.must('DATA_DESTROY', realm.rd, RAM + 4096);
    machine.must('RTT_SET_RIPAS', realm.rd, realm.recs[0]?.pa ?? 0, RAM + 4096, RAM + 2 * 4096);
    machine.must('DATA_CREATE_UNKNOWN', realm.rd, machine.delegated(), RAM + 4096);
    expect([view?.permissions(0, RAM + 4096), view?.permissions(1, RAM + 4096)]).toEqual(['rwx', '']);
  });

  it.each([
    ['a value for plane 0', Rsi.MEM_SET_PERM_VALUE, [0, 2, 15]],
    ['a value for a plane that does not exist', Rsi.MEM_SET_PERM_VALUE, [2, 2, 15]],
    ['a value for index 0, which is locked', Rsi.MEM_SET_PERM_VALUE, [1, 0, 15]],
    ['a value for index 15', Rsi.MEM_SET_PERM_VALUE, [1, 15, 15]],
    ['a reserved value', Rsi.MEM_SET_PERM_VALUE, [1, 2, 1]],
    ['"mostly read-only"', Rsi.MEM_SET_PERM_VALUE, [1, 2, 2]],
    ['a value too large', Rsi.MEM_SET_PERM_VALUE, [1, 2, 16]],
    ['reading index 15', Rsi.MEM_GET_PERM_VALUE, [1, 15]],
    ['an index for unprotected memory', Rsi.MEM_SET_PERM_INDEX, [2 ** 32, 2 ** 32 + 4096, 2, 0]],
    ['an index for part of a page', Rsi.MEM_SET_PERM_INDEX, [RAM, RAM + 5, 2, 0]],
    ['index 15', Rsi.MEM_SET_PERM_INDEX, [RAM, RAM + 4096, 15, 0]],
    ['a cookie', Rsi.MEM_SET_PERM_INDEX, [RAM, RAM + 4096, 2, RAM]],
  ] as const)('refuse %s', (_, fid, args) => {
    let status = -1;
    runningRealm(
      plane0(function* (kit) {
        status = yield* kit.call(fid, ...args);
      }),
    ).enter();
    expect(status).toBe(RsiStatus.ErrorInput);
  });
});

describe('RSI_PLANE_SYSREG_READ and _WRITE', () => {
  it('access registers of the CPU and those that only the RMM keeps', () => {
    const log: bigint[] = [];
    const realm = runningRealm(
      plane0(function* (kit) {
        for (const [encoding, value] of [
          [0xc080, 0x30d0_0800n],
          [0xdce0, 0x40n],
        ] as const) {
          yield* kit.call(Rsi.PLANE_SYSREG_WRITE, 1, encoding, value);
          yield* kit.call(Rsi.PLANE_SYSREG_READ, 1, encoding);
          log.push(...kit.x.slice(0, 3));
        }
        yield* kit.call(Rsi.PLANE_SYSREG_READ, 1, 0x8012);
        log.push(kit.x[1] ?? -1n);
      }),
    );
    realm.enter();
    expect(log).toEqual([0n, 0x30d0_0800n, 0n, 0n, 0x40n, 0n, 0x1000n]);
    expect(pn(realm).sysreg(0xc080)).toBe(0x30d0_0800n);
  });

  it.each([
    ['plane 0', 0, 0xc080],
    ['a plane that does not exist', 2, 0xc080],
    ['MPIDR_EL1', 1, 0xc005],
    ['128 bits', 1, 0x1_c100],
    ['an invalid encoding', 1, 2 ** 40],
  ])('refuse %s', (_, plane, encoding) => {
    const statuses: number[] = [];
    runningRealm(
      plane0(function* (kit) {
        statuses.push(yield* kit.call(Rsi.PLANE_SYSREG_READ, plane, encoding));
        statuses.push(yield* kit.call(Rsi.PLANE_SYSREG_WRITE, plane, encoding, 0));
      }),
    ).enter();
    expect(statuses).toEqual([RsiStatus.ErrorInput, RsiStatus.ErrorInput]);
  });
});

describe('RSI_REALM_CONFIG', () => {
  it('describes the realm', () => {
    let status = -1;
    const realm = runningRealm(
      plane0(function* (kit) {
        status = yield* kit.call(Rsi.REALM_CONFIG, RAM);
      }),
    );
    realm.enter();
    expect(status).toBe(0);
    const at = realm.locate(RAM);
    const word = (offset: number) => realm.machine.linear.view.getBigUint64(at + offset, true);
    expect([word(0), word(8), word(0x10), word(0x18) & 0x1fn, word(0x20)]).toEqual([33n, 0n, 1n, 3n, 0n]);
  });

  it.each([
    [RAM + 8, 1],
    [2 ** 32, 1],
    [0, 1],
  ])('refuses %i', (ipa, expected) => {
    let status = -1;
    runningRealm(
      plane0(function* (kit) {
        status = yield* kit.call(Rsi.REALM_CONFIG, ipa);
      }),
    ).enter();
    expect(status).toBe(expected);
  });
});
