import { describe, expect, it } from 'vitest';

import { HostCallLayout } from '../abi/host-call-layout.ts';
import { RecEnter, RecEnterFlag, RecExit, RecExitReason, rmiResult, RmiStatus, Rsi, RsiStatus } from '../index.ts';
import type { RunScript } from '../testing/scripted-cpu.ts';
import { plane0, RAM, runningRealm, TestMachine, TestRealm } from '../testing/test-realm.ts';

const { Success, ErrorInput, ErrorRealm, ErrorRec } = RmiStatus;
const UNPROTECTED = 2 ** 32;
const EC = { wfx: 0x01, hvc: 0x16, smc: 0x17, sysreg: 0x18, instructionAbort: 0x20, dataAbort: 0x24 };
const IL = 1 << 25;

/** A realm with guest code in plane 0 that traps as scripted. */
function guestRealm(...script: RunScript[]): TestRealm {
  const realm = runningRealm();
  realm.machine.cpu.script.push(...script);
  return realm;
}

function context(realm: TestRealm) {
  const found = realm.machine.rmm.inspect(realm.rd)?.context(0, 0);
  if (found === undefined) throw new Error('plane 0 has not run');
  return found;
}

const reason = (realm: TestRealm) => realm.run.getUint8(RecExit.reason);
const field = (realm: TestRealm, at: number) => realm.run.getBigUint64(at, true);

describe('RMI_REC_ENTER rejects', () => {
  it('granules in the wrong state', () => {
    const realm = runningRealm();
    const { machine } = realm;
    const [rec] = realm.recs;
    if (rec === undefined) throw new Error('no REC');
    expect(machine.call('REC_ENTER', rec.pa, rec.run + 8)).toBe(ErrorInput);
    expect(machine.call('REC_ENTER', rec.pa, machine.delegated())).toBe(ErrorInput);
    expect(machine.call('REC_ENTER', realm.rd, rec.run)).toBe(ErrorInput);
    expect(machine.call('REC_ENTER', 2n ** 60n, rec.run)).toBe(ErrorInput);
  });

  it('a realm that is new or in state SYSTEM_OFF', () => {
    const fresh = new TestRealm(new TestMachine());
    fresh.createRec();
    expect(fresh.enter()).toBe(rmiResult(ErrorRealm, 0));
    const off = runningRealm(
      plane0(function* (kit) {
        yield* kit.call(0x8400_0008);
      }),
    );
    expect(off.enter()).toBe(Success);
    expect(reason(off)).toBe(RecExitReason.Psci);
    expect(off.enter()).toBe(rmiResult(ErrorRealm, 1));
  });

  it('a REC that is not runnable', () => {
    const realm = runningRealm(
      plane0(function* (kit) {
        yield* kit.call(0x8400_0002);
      }),
    );
    expect(realm.enter()).toBe(Success);
    expect(realm.enter()).toBe(ErrorRec);
  });

  it('emul_mmio and inject_sea without an abort', () => {
    const realm = runningRealm();
    expect(realm.enter(RecEnterFlag.emulMmio)).toBe(ErrorRec);
    expect(realm.enter(RecEnterFlag.injectSea)).toBe(ErrorRec);
    expect(realm.enter()).toBe(Success);
  });

  it.each<[string, (run: DataView) => void]>([
    ['ICH_HCR_EL2 bits that the host may not set', (run) => run.setUint32(RecEnter.gicv3Hcr, 1, true)],
    ['a hardware interrupt', (run) => run.setUint32(RecEnter.gicv3Lrs + 4, (1 << 30) | (1 << 29), true)],
    ['a reserved interrupt number', (run) => setLr(run, 0, 1020)],
    [
      'the same interrupt twice',
      (run) => {
        setLr(run, 0, 27);
        setLr(run, 1, 27);
      },
    ],
  ])('%s', (_, change) => {
    const realm = runningRealm();
    change(realm.run);
    expect(realm.enter()).toBe(ErrorRec);
  });
});

function setLr(run: DataView, n: number, intid: number): void {
  run.setUint32(RecEnter.gicv3Lrs + n * 8, intid, true);
  run.setUint32(RecEnter.gicv3Lrs + n * 8 + 4, 1 << 30, true);
}

describe('a REC', () => {
  it('starts in the state given by its parameters', () => {
    const machine = new TestMachine();
    const realm = new TestRealm(machine);
    realm.createRec({ pc: 0x8000_1234n, gprs: [1n, 2n, 3n, 4n, 5n, 6n, 7n, 2n ** 64n - 1n] });
    machine.must('REALM_ACTIVATE', realm.rd);
    realm.enter();
    const p0 = context(realm);
    expect([p0.pc, p0.pstate, p0.x(0), p0.x(7), p0.x(8)]).toEqual([0x8000_1234n, 0x3c5, 1n, 2n ** 64n - 1n, 0n]);
    expect(p0.sysreg(0xc080)).toBe(0xc50878n);
  });

  it('is interrupted by the host’s timer, and continues', () => {
    const realm = runningRealm();
    realm.machine.rmm.interruptAfter(5000);
    realm.enter();
    expect(reason(realm)).toBe(RecExitReason.Irq);
    expect(realm.machine.rmm.inspect(realm.rd)?.instructions).toBe(5000);
    realm.enter();
    expect(realm.machine.rmm.inspect(realm.rd)?.instructions).toBe(10_000);
  });

  it('is interrupted at once if the timer is set to zero while it runs', () => {
    let calls = 0;
    const realm: TestRealm = runningRealm(
      plane0(function* (kit) {
        for (;;) {
          yield* kit.call(Rsi.VERSION, 0x1_0001);
          if (++calls === 3) realm.machine.rmm.interruptAfter(0);
        }
      }),
    );
    realm.machine.rmm.interruptAfter(1_000_000);
    realm.enter();
    expect(reason(realm)).toBe(RecExitReason.Irq);
    expect(calls).toBeLessThan(6);
  });

  it('is interrupted when it only makes calls', () => {
    let calls = 0;
    const realm = runningRealm(
      plane0(function* (kit) {
        for (;;) {
          yield* kit.call(Rsi.VERSION, 0x1_0001);
          calls++;
        }
      }),
    );
    realm.machine.rmm.interruptAfter(10_000);
    realm.enter();
    expect(reason(realm)).toBe(RecExitReason.Irq);
    expect(calls).toBeGreaterThan(10);
    expect(calls).toBeLessThan(200);
  });
});

describe('plane 0 as guest code', () => {
  const dataAbort =
    (ipa: number, esr: number, far = 0n): RunScript =>
    (vcpu) =>
      vcpu.trap({ esr: EC.dataAbort * 2 ** 26 + esr, ipa, far });

  it('makes RSI calls, and continues after them', () => {
    const realm = guestRealm((vcpu) => {
      vcpu.active.setX(0, BigInt(Rsi.VERSION));
      vcpu.active.setX(1, 0x1_0000n);
      vcpu.active.setX(4, 0x44n);
      return vcpu.trap({ esr: EC.smc * 2 ** 26 });
    });
    realm.enter();
    const p0 = context(realm);
    expect([0, 1, 2, 3, 4].map((n) => p0.x(n))).toEqual([0n, 0x1_0000n, 0x1_0001n, 0n, 0x44n]);
    expect(p0.pc).toBe(BigInt(RAM + 4));
  });

  it('has the host map pages on access, without reporting the syndrome of the access', () => {
    const esr = IL | (1 << 24) | (3 << 22) | (1 << 21) | (5 << 16) | (1 << 15) | (1 << 6) | 7;
    const realm = guestRealm(dataAbort(RAM + 20 * 4096 + 0x123, esr, 0xffff_8000_0000_0123n));
    realm.enter();
    expect(reason(realm)).toBe(RecExitReason.Sync);
    expect(field(realm, RecExit.esr)).toBe(BigInt(EC.dataAbort * 2 ** 26 + 7));
    expect(field(realm, RecExit.hpfar)).toBe(BigInt((RAM + 20 * 4096) / 256));
    expect([field(realm, RecExit.far), field(realm, RecExit.gprs)]).toEqual([0n, 0n]);
    expect(realm.enter(RecEnterFlag.emulMmio)).toBe(ErrorRec);
  });

  it.each([
    ['EMPTY', 0x1000],
    ['outside of the IPA space', 2 ** 33],
  ])('takes an external abort at an IPA that is %s', (_, ipa) => {
    const realm = guestRealm(dataAbort(ipa, 0x86, 0x5678n));
    realm.enter();
    expect(reason(realm)).toBe(RecExitReason.Irq);
    expect(context(realm)).toMatchObject({ exceptions: [{ esr: 0x25 * 2 ** 26 + 0x210, far: 0x5678n }] });
  });

  it('cannot execute unprotected memory', () => {
    const realm = guestRealm((vcpu) => vcpu.trap({ esr: EC.instructionAbort * 2 ** 26 + 6, ipa: UNPROTECTED }));
    realm.enter();
    expect(context(realm)).toMatchObject({ exceptions: [{ esr: 0x21 * 2 ** 26 + 0x210 }] });
  });

  it('takes HVC as undefined', () => {
    const realm = guestRealm((vcpu) => {
      vcpu.active.pc = BigInt(RAM + 4);
      return vcpu.trap({ esr: EC.hvc * 2 ** 26 });
    });
    realm.enter();
    expect(context(realm)).toMatchObject({ pc: BigInt(RAM), exceptions: [{ esr: IL }] });
  });

  it('reads zero from system registers that are not emulated', () => {
    const realm = guestRealm((vcpu) => {
      vcpu.active.setX(3, 99n);
      return vcpu.trap({ esr: EC.sysreg * 2 ** 26 + (3 << 5) + 1 });
    });
    realm.enter();
    expect([context(realm).x(3), context(realm).pc]).toEqual([0n, BigInt(RAM + 4)]);
  });

  it('exits to the host for WFI only if enter.flags ask for it', () => {
    const wfi: RunScript = (vcpu) => vcpu.trap({ esr: EC.wfx * 2 ** 26 + IL + (0xe << 20) });
    const realm = guestRealm(wfi, wfi);
    realm.enter(RecEnterFlag.trapWfi);
    expect([reason(realm), field(realm, RecExit.esr)]).toEqual([RecExitReason.Sync, BigInt(EC.wfx * 2 ** 26)]);
    expect(context(realm).pc).toBe(BigInt(RAM + 4));
    realm.enter();
    expect(reason(realm)).toBe(RecExitReason.Irq);
  });

  describe('at unprotected IPAs', () => {
    const access = (options: { bytes: number; register: number; write?: boolean; sse?: boolean; sf?: boolean }) =>
      IL +
      (1 << 24) +
      (Math.log2(options.bytes) << 22) +
      (options.sse === true ? 1 << 21 : 0) +
      (options.register << 16) +
      (options.sf === false ? 0 : 1 << 15) +
      (options.write === true ? 1 << 6 : 0) +
      6;

    it('has its writes emulated by the host', () => {
      const esr = access({ bytes: 2, register: 7, write: true });
      const realm = guestRealm((vcpu) => {
        vcpu.active.setX(7, 0x1234_5678n);
        return vcpu.trap({ esr: EC.dataAbort * 2 ** 26 + esr, ipa: UNPROTECTED + 0x1238, far: 0x9000_1238n });
      });
      realm.enter();
      expect(field(realm, RecExit.gprs)).toBe(0x5678n);
      expect(field(realm, RecExit.far)).toBe(0x238n);
      expect(field(realm, RecExit.hpfar)).toBe(BigInt((UNPROTECTED + 0x1000) / 256));
      const srtSse = (0x1f << 16) | (1 << 21);
      expect(Number(field(realm, RecExit.esr)) & srtSse).toBe(0);
      // Neither the transfer register nor the instruction length is reported (A4.3.4.3).
      expect(Number(field(realm, RecExit.esr))).toBe(EC.dataAbort * 2 ** 26 + esr - (7 << 16) - IL);
      expect(realm.enter(RecEnterFlag.emulMmio)).toBe(Success);
      expect(context(realm).pc).toBe(BigInt(RAM + 4));
      expect(realm.enter(RecEnterFlag.emulMmio)).toBe(ErrorRec);
    });

    it.each([
      ['zero-extended', { bytes: 1, register: 4 }, 0x1ffn, 0xffn],
      ['sign-extended to 64 bits', { bytes: 2, register: 4, sse: true }, 0x8000n, 0xffff_ffff_ffff_8000n],
      ['sign-extended to 32 bits', { bytes: 1, register: 4, sse: true, sf: false }, 0x80n, 0xffff_ff80n],
      ['unextended', { bytes: 8, register: 4 }, 2n ** 64n - 2n, 2n ** 64n - 2n],
    ])('has its reads emulated, %s', (_, options, value, expected) => {
      const realm = guestRealm(dataAbort(UNPROTECTED, access(options)));
      realm.enter();
      expect(field(realm, RecExit.gprs)).toBe(0n);
      realm.run.setBigUint64(RecEnter.gprs, value, true);
      realm.enter(RecEnterFlag.emulMmio);
      expect(context(realm).x(4)).toBe(expected);
    });

    it('discards a read into the zero register', () => {
      const realm = guestRealm(dataAbort(UNPROTECTED, access({ bytes: 8, register: 31 })));
      realm.enter();
      realm.run.setBigUint64(RecEnter.gprs, 77n, true);
      expect(realm.enter(RecEnterFlag.emulMmio)).toBe(Success);
      expect(Array.from({ length: 31 }, (_, n) => context(realm).x(n)).includes(77n)).toBe(false);
    });

    it('retries the access, or takes the abort that the host injects', () => {
      const realm = guestRealm(
        dataAbort(UNPROTECTED, access({ bytes: 8, register: 1 })),
        dataAbort(UNPROTECTED, 6),
        dataAbort(UNPROTECTED, access({ bytes: 8, register: 1 }), 0x40n),
      );
      realm.enter();
      expect(realm.enter()).toBe(Success);
      expect(context(realm).pc).toBe(BigInt(RAM));
      expect(realm.enter(RecEnterFlag.emulMmio)).toBe(ErrorRec);
      expect(realm.enter(0)).toBe(Success);
      expect(realm.enter(RecEnterFlag.injectSea)).toBe(Success);
      expect(context(realm)).toMatchObject({ exceptions: [{ far: 0x40n }], pc: BigInt(RAM) });
    });
  });
});

describe('RSI_HOST_CALL', () => {
  /** A plane 0 that makes one host call with imm 0x5a and the given X0 to X30 in the structure. */
  function calling(ipa: number, statuses: number[]) {
    return plane0(function* (kit) {
      const at = kit.locate(RAM);
      kit.view.setUint16(at + HostCallLayout.imm, 0x5a, true);
      for (let n = 0; n < 31; n++) kit.view.setBigUint64(at + HostCallLayout.gprs + n * 8, BigInt(n + 100), true);
      statuses.push(yield* kit.call(Rsi.HOST_CALL, ipa));
    });
  }

  it('passes registers to the host and back', () => {
    const statuses: number[] = [];
    const realm = runningRealm(calling(RAM, statuses));
    realm.enter();
    expect([reason(realm), realm.run.getUint16(RecExit.imm, true)]).toEqual([RecExitReason.HostCall, 0x5a]);
    expect([field(realm, RecExit.gprs), field(realm, RecExit.gprs + 240)]).toEqual([100n, 130n]);
    realm.run.setBigUint64(RecEnter.gprs + 8, 0xabcn, true);
    realm.enter();
    expect(statuses).toEqual([RsiStatus.Success]);
    const structure = realm.locate(RAM) + HostCallLayout.gprs;
    expect(realm.machine.linear.view.getBigUint64(structure + 8, true)).toBe(0xabcn);
    expect(realm.machine.linear.view.getBigUint64(structure, true)).toBe(0n);
  });

  it('waits while the page is unmapped', () => {
    const statuses: number[] = [];
    const realm = runningRealm(calling(RAM + 0x100, statuses));
    const { machine } = realm;
    realm.enter();
    machine.must('DATA_DESTROY', realm.rd, RAM);
    expect(realm.enter()).toBe(Success);
    expect([reason(realm), field(realm, RecExit.hpfar)]).toEqual([RecExitReason.Sync, BigInt(RAM / 256)]);
    expect(field(realm, RecExit.esr)).toBe(BigInt(EC.dataAbort * 2 ** 26 + 7));
    expect(statuses).toEqual([]);
  });

  it.each([
    ['an unaligned structure', RAM + 0x80, RsiStatus.ErrorInput],
    ['unprotected memory', UNPROTECTED, RsiStatus.ErrorInput],
    ['EMPTY memory', 0x1000, RsiStatus.ErrorInput],
  ])('refuses %s', (_, ipa, status) => {
    const statuses: number[] = [];
    runningRealm(calling(ipa, statuses)).enter();
    expect(statuses).toEqual([status]);
  });

  it('is executed again after the host has mapped the page', () => {
    const statuses: number[] = [];
    const realm = runningRealm(calling(RAM + 30 * 4096, statuses));
    realm.enter();
    expect(reason(realm)).toBe(RecExitReason.Sync);
    realm.machine.must('DATA_CREATE_UNKNOWN', realm.rd, realm.machine.delegated(), RAM + 30 * 4096);
    realm.enter();
    expect(reason(realm)).toBe(RecExitReason.HostCall);
  });
});

describe('PSCI', () => {
  const CPU_ON = 0xc400_0003;
  const AFFINITY_INFO = 0xc400_0004;

  /** A realm with two RECs, the second of which is off; the first makes one call. */
  function pair(fid: number, ...args: number[]) {
    const results: number[] = [];
    const machine = new TestMachine();
    const realm = new TestRealm(machine);
    const starts: bigint[] = [];
    machine.rmm.setPlane0(
      realm.rd,
      plane0(function* (kit) {
        starts.push(kit.x[0] ?? 0n);
        if (starts.length === 1) results.push(yield* kit.call(fid, ...args));
      }),
    );
    const first = realm.createRec({ gprs: [11n] });
    const second = realm.createRec({ runnable: false });
    machine.must('REALM_ACTIVATE', realm.rd);
    realm.enter();
    const complete = (status: number) => machine.call('PSCI_COMPLETE', first.pa, second.pa, status);
    return { realm, first, second, complete, results, starts };
  }

  it('turns another vCPU on if the host agrees', () => {
    const { realm, first, second, complete, results, starts } = pair(CPU_ON, 1, RAM, 0x77);
    expect([reason(realm), field(realm, RecExit.gprs + 8)]).toEqual([RecExitReason.Psci, 1n]);
    expect(realm.enter()).toBe(ErrorRec);
    expect(realm.enter(0, second)).toBe(ErrorRec);
    expect(complete(-2)).toBe(ErrorInput);
    expect(realm.machine.call('PSCI_COMPLETE', first.pa, first.pa, 0)).toBe(ErrorInput);
    expect(complete(0)).toBe(Success);
    expect(complete(0)).toBe(ErrorInput);
    expect(realm.enter()).toBe(Success);
    expect(results).toEqual([0]);
    expect(realm.enter(0, second)).toBe(Success);
    expect(starts).toEqual([11n, 0x77n]);
  });

  it('fails if the host denies it', () => {
    const { realm, complete, results, second } = pair(CPU_ON, 1, RAM, 0);
    expect(complete(-3)).toBe(Success);
    realm.enter();
    expect(results).toEqual([-3]);
    expect(realm.enter(0, second)).toBe(ErrorRec);
  });

  it('reports whether another vCPU is on', () => {
    const { realm, complete, results } = pair(AFFINITY_INFO, 1, 0);
    expect(complete(-3)).toBe(ErrorInput);
    expect(complete(0)).toBe(Success);
    realm.enter();
    expect(results).toEqual([1]);
  });

  it.each([
    ['its version', [0x8400_0000], 0x1_0001],
    ['a feature that is implemented', [0x8400_000a, CPU_ON], 0],
    ['a feature that is not implemented', [0x8400_000a, 0x8400_0007], -1],
    ['a function that is not implemented', [0x8400_0007], -1],
    ['an entry point outside of the protected half', [CPU_ON, 1, 2 ** 32], -9],
    ['a vCPU that does not exist', [CPU_ON, 2, RAM], -2],
    ['itself', [CPU_ON, 0, RAM], -4],
    ['its own affinity', [AFFINITY_INFO, 0, 0], 0],
    ['an affinity level', [AFFINITY_INFO, 1, 1], -2],
    ['SMCCC_VERSION', [0x8000_0000], 0x1_0002],
    ['nobody’s function', [0xc600_0000], -1],
  ])('answers %s itself', (_, [fid, ...args], expected) => {
    expect(pair(fid ?? 0, ...args).results).toEqual([expected]);
  });
});
