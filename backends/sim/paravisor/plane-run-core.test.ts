import { describe, expect, it } from 'vitest';

import { TmkMonitor } from '../../../petri/tmk/index.ts';
import type { PlaneLaunch } from './plane-launch.ts';
import { type PlaneOutcome, PlaneRunCore } from './plane-run-core.ts';
import { type ScriptedExit, ScriptedRmm } from './testing/scripted-rmm.ts';

const RAM = 0x8002_0000;
const launch: PlaneLaunch = {
  realmConfigPage: 0x8000_0000,
  runPage: 0x8000_1000,
  ram: { base: RAM, bytes: 0x4000 },
  startInput: RAM + 0x3000,
  entry: RAM + 0x120,
  testIndex: 5,
};

/** Of nothing: addresses have no symbols. */
const image = { tests: [], segments: [], entry: 0, span: { start: 0, end: 0 }, symbolAt: () => undefined };

const COMMAND = 0xffff_0000;
const IL = 1 << 25;
/** ISS of STR Xsrt, 8 bytes. */
const store64 = (srt: number): number =>
  ((0x24 << 26) | IL | (1 << 24) | (3 << 22) | (srt << 16) | (1 << 15) | 0x46) >>> 0;
/** ISS of LDR Wsrt. */
const load32 = (srt: number): number => ((0x24 << 26) | IL | (1 << 24) | (2 << 22) | (srt << 16) | 0x06) >>> 0;
const classOnly = (ec: number): number => ((ec << 26) | IL) >>> 0;

interface Run {
  readonly rmm: ScriptedRmm;
  readonly core: PlaneRunCore;
  readonly outcome: PlaneOutcome | undefined;
  readonly printed: string;
  readonly logged: readonly string[];
  readonly events: readonly { readonly kind: string }[];
}

function run(script: readonly ScriptedExit[], prepare?: (rmm: ScriptedRmm) => void): Run {
  const rmm = new ScriptedRmm(script);
  prepare?.(rmm);
  let printed = '';
  const logged: string[] = [];
  const log = (message: string): void => void logged.push(message);
  const print = (bytes: Uint8Array): void => void (printed += Buffer.from(bytes).toString());
  const monitor = new TmkMonitor(image, RAM, { print, log });
  const core = new PlaneRunCore(launch, { monitor, log, pulse: () => undefined });
  rmm.run(core.program);
  return { rmm, core, outcome: core.outcome, printed, logged, events: monitor.events };
}

const COMPLETE_AT = RAM + 0x800;
const sendComplete: ScriptedExit = { esr: store64(3), ipa: COMMAND, x: { 3: BigInt(COMPLETE_AT) } };

function withCommands(rmm: ScriptedRmm): void {
  const { view } = rmm.linear;
  view.setUint32(rmm.offsetOf(COMPLETE_AT), 2, true);
  view.setUint8(rmm.offsetOf(COMPLETE_AT) + 4, 1);
}

describe('before plane 1 runs', () => {
  it('sets the realm up as OpenHCL does', () => {
    const { rmm } = run([sendComplete], withCommands);
    expect(rmm.calls.map((call) => call.command)).toEqual([
      'VERSION',
      'REALM_CONFIG',
      'MEM_SET_PERM_VALUE',
      ...Array<string>(4).fill('MEM_SET_PERM_INDEX'),
      ...Array<string>(11).fill('PLANE_SYSREG_WRITE'),
    ]);
    const inputs = (command: string): (readonly bigint[])[] =>
      rmm.calls.filter((call) => call.command === command).map((call) => call.inputs);
    expect(inputs('MEM_SET_PERM_VALUE')).toEqual([[1n, 2n, 15n, 0n]]);
    expect(inputs('MEM_SET_PERM_INDEX').map(([base, top, index]) => [base, top, index])).toEqual(
      [0, 1, 2, 3].map((page) => [BigInt(RAM + page * 4096), BigInt(RAM + 0x4000), 2n]),
    );
    expect(inputs('PLANE_SYSREG_WRITE')).toContainEqual([1n, 0xc080n, 0xc5_0878n, 0n]);
  });

  it('enters the entry point with the start input in X0 and SIMD trapped', () => {
    const { rmm } = run([sendComplete], withCommands);
    const [entry] = rmm.entries;
    expect(entry).toMatchObject({ flags: 0x10, pc: BigInt(launch.entry), pstate: 0x3c5n });
    expect(entry?.x).toEqual([BigInt(launch.startInput), ...Array<bigint>(30).fill(0n)]);
    const at = rmm.offsetOf(launch.startInput);
    expect(rmm.linear.view.getBigUint64(at, true)).toBe(0xffff_0000n);
    expect(rmm.linear.view.getBigUint64(at + 8, true)).toBe(5n);
  });

  it.each([
    ['RSI_VERSION', 0xc400_0190, 0xffff_ffff_ffff_ffffn, /no RSI 1\.1.*NOT_SUPPORTED/],
    ['RSI_MEM_SET_PERM_VALUE', 0xc400_01a2, 1n, /RSI_MEM_SET_PERM_VALUE.*RSI_ERROR_INPUT/],
    ['RSI_PLANE_SYSREG_WRITE', 0xc400_01af, 1n, /RSI_PLANE_SYSREG_WRITE.*RSI_ERROR_INPUT/],
  ])('is lost when %s fails', (_, command, status, message) => {
    const { outcome, rmm } = run([sendComplete], (it) => it.failures.set(command, status));
    expect(outcome).toEqual({ kind: 'lost', message: expect.stringMatching(message) as string });
    expect(rmm.entries).toEqual([]);
  });

  it('is lost in a realm without auxiliary planes', () => {
    const { outcome } = run([sendComplete], (it) => (it.numAuxPlanes = 0n));
    expect(outcome).toEqual({ kind: 'lost', message: 'plane 0: the realm has no auxiliary plane' });
  });
});

describe('an exit of plane 1', () => {
  it('for a command ends the run with its verdict', () => {
    const { outcome } = run([sendComplete], withCommands);
    expect(outcome).toEqual({ kind: 'verdict', halt: { reason: 'complete', success: true } });
  });

  it('for a read without a device returns all ones, advances the PC and keeps all other registers', () => {
    const x = Object.fromEntries(Array.from({ length: 31 }, (_, n) => [n, 0x1_0000_0000n * BigInt(n + 1)]));
    const { rmm, logged } = run(
      [{ esr: load32(9), ipa: 0xff00_0018, pc: 0xffff_fffcn, x }, sendComplete],
      withCommands,
    );
    const next = rmm.entries[1];
    expect(next?.pc).toBe(0x1_0000_0000n);
    expect(next?.x[9]).toBe(0xffff_ffffn);
    for (let n = 0; n < 31; n++) if (n !== 9) expect(next?.x[n]).toBe(x[n]);
    expect(logged).toEqual([expect.stringContaining('read of 4 bytes at IPA 0xff000018')]);
  });

  it('for a write without a device is ignored, and logged with the value', () => {
    const { rmm, logged } = run(
      [{ esr: store64(30), ipa: 0xff02_0000, pc: 0x100n, x: { 30: 0x1234_5678_9abc_def0n } }, sendComplete],
      withCommands,
    );
    expect(rmm.entries[1]?.pc).toBe(0x104n);
    expect(logged).toEqual([expect.stringContaining('ignored 0x123456789abcdef0')]);
  });

  it('takes the page from HPFAR and only the offset from FAR, for guests with stage 1 on', () => {
    const { outcome } = run([{ ...sendComplete, far: 0x4000_0000 }], withCommands);
    expect(outcome?.kind).toBe('verdict');
  });

  it('for SIMD removes the trap for good and keeps the PC', () => {
    const { rmm } = run([{ esr: classOnly(0x07), pc: 0x200n }, { reason: 1n, pc: 0x300n }, sendComplete], withCommands);
    expect(rmm.entries.map((entry) => entry.flags)).toEqual([0x10, 0, 0]);
    expect(rmm.entries[1]?.pc).toBe(0x200n);
  });

  it('for SMC logs a warning and continues at the PC that the RMM reports', () => {
    const { rmm, logged } = run([{ esr: classOnly(0x17), pc: 0x204n }, sendComplete], withCommands);
    expect(rmm.entries[1]?.pc).toBe(0x204n);
    expect(logged).toEqual([expect.stringContaining('SMC #0x0')]);
  });

  it('for an interrupt continues', () => {
    const { rmm, outcome } = run([{ reason: 1n, pc: 0x208n }, sendComplete], withCommands);
    expect(rmm.entries[1]?.pc).toBe(0x208n);
    expect(outcome?.kind).toBe('verdict');
  });

  it('logs only the first of many warnings', () => {
    const { logged } = run([...Array<ScriptedExit>(1000).fill({ esr: classOnly(0x17) }), sendComplete], withCommands);
    expect(logged.length).toBeLessThan(20);
  });

  it.each([
    ['unknown reason', 0x00],
    ['WFI', 0x01],
    ['illegal state', 0x0e],
    ['SVC', 0x15],
    ['HVC', 0x16],
    ['a system register', 0x18],
    ['SVE', 0x19],
    ['PC alignment', 0x22],
    ['SP alignment', 0x26],
    ['BRK', 0x3c],
    ['a reserved class', 0x3f],
  ])('for %s is a fault', (_, ec) => {
    const { outcome, core } = run([{ esr: classOnly(ec), pc: 0x8020_1000n }]);
    expect(outcome).toMatchObject({ kind: 'fault', exit: { ec, pc: 0x8020_1000n } });
    expect(outcome).toMatchObject({
      message: expect.stringContaining(`exception class 0x${ec.toString(16)}`) as string,
    });
    expect(core.exits.count).toBe(1);
  });

  it.each([2n, 3n, 1n << 32n, (1n << 64n) - 1n])('with reason %s is a fault', (reason) => {
    expect(run([{ reason }]).outcome).toMatchObject({ kind: 'fault', exit: { index: 0 } });
  });

  it('without a valid syndrome is a fault that says so', () => {
    const { outcome } = run([{ esr: classOnly(0x24) | 0x46, ipa: 0xff00_0000 }]);
    expect(outcome).toMatchObject({ kind: 'fault', message: expect.stringContaining('ISV=0') as string });
  });
});

describe('an instruction abort', () => {
  const fetch = (ipa: number, fsc: number): ScriptedExit => ({
    esr: (classOnly(0x20) | fsc) >>> 0,
    ipa,
    pc: BigInt(ipa),
  });

  it.each([
    ['beyond the IPA space', 0xffff_0000_0000, 0x04, undefined, /outside of PAR: beyond the IPA space of 33 bits/],
    ['in the unprotected half', 0x1_2345_6000, 0x06, undefined, /outside of PAR: in the unprotected half/],
    ['where RIPAS is EMPTY', 0, 0x06, 0n, /IPA 0x0, RIPAS is EMPTY/],
    ['where RIPAS is DESTROYED', 0x1000, 0x06, 2n, /RIPAS is DESTROYED/],
    ['where plane 1 may not execute', 0x847f_f000, 0x0f, 1n, /permission fault: RIPAS is RAM/],
  ])('%s explains the fault', (_, ipa, fsc, ripas, message) => {
    const { outcome } = run([fetch(ipa, fsc)], (rmm) => {
      if (ripas !== undefined) rmm.ripas.set(ipa, ripas);
    });
    expect(outcome).toEqual({
      kind: 'fault',
      message: expect.stringMatching(message) as string,
      exit: expect.objectContaining({ ec: 0x20, ipa: BigInt(ipa) }) as unknown,
    });
  });
});

describe('the command channel', () => {
  it('reads a command and its string across pages that are not mapped yet', () => {
    const pointer = RAM + 0xff0;
    const text = RAM + 0x1ffd;
    const { printed } = run([{ ...sendComplete, x: { 3: BigInt(pointer) } }, sendComplete], (rmm) => {
      withCommands(rmm);
      const { view, u8 } = rmm.linear;
      const at = rmm.offsetOf(pointer);
      view.setUint32(at, 0, true);
      view.setBigUint64(at + 8, BigInt(text), true);
      view.setBigUint64(at + 16, 11n, true);
      u8.set(Buffer.from('hello world'), rmm.offsetOf(text));
    });
    expect(printed).toBe('hello world\n');
  });

  it.each([
    ['outside of RAM', BigInt(RAM - 48)],
    ['across the end of RAM', BigInt(RAM + 0x4000 - 47)],
    ['in plane 0', BigInt(launch.runPage)],
    ['beyond 2^53', 1n << 63n],
    ['all ones', (1n << 64n) - 1n],
    ['zero', 0n],
  ])('rejects a pointer %s and continues', (_, pointer) => {
    const { events, outcome } = run([{ ...sendComplete, x: { 3: pointer } }, sendComplete], withCommands);
    expect(events.map((event) => event.kind)).toEqual(['rejected', 'complete']);
    expect(outcome?.kind).toBe('verdict');
  });

  it('rejects a store of the wrong size', () => {
    const store32 = (store64(3) & ~(3 << 22)) | (2 << 22);
    const { events } = run([{ ...sendComplete, esr: store32 >>> 0 }, sendComplete], withCommands);
    expect(events[0]).toEqual({ kind: 'rejected', message: expect.stringContaining('4 bytes') as string });
  });

  it('reads as all ones', () => {
    const { rmm } = run([{ esr: load32(4), ipa: COMMAND }, sendComplete], withCommands);
    expect(rmm.entries[1]?.x[4]).toBe(0xffff_ffffn);
  });
});
