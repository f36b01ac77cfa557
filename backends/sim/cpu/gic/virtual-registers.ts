import { El2Slot, type El2State } from '../pe/el2/el2-state.ts';
import { behaves, encodeSysreg as e, type RegisterHost, type RegisterRow } from '../pe/registers/row.ts';
import { type InterruptGroup, NO_INTERRUPT } from './interrupt-routing.ts';
import { MIN_BPR } from './priorities.ts';
import { IchHcr, LIST_REGISTERS, virtualControls } from './virtual-interface.ts';

const NONE = BigInt(NO_INTERRUPT);
const PRIORITY_BITS = 0xf8;
/** ICV_CTLR_EL1: 5 bits of priority; INTIDs have 16 bits. */
const CTLR_FIXED = 4n << 8n;
/** ICH_VTR_EL2: 5 bits of priority and of preemption, TDS, no direct injection. */
const VTR = (4n << 29n) | (4n << 26n) | (1n << 20n) | (1n << 19n) | BigInt(LIST_REGISTERS - 1);
const ICH_HCR_WRITABLE = 0xf800_5cffn;
/** ICH_VMCR_EL2: with VFIQEn, which is fixed where there are system registers only. */
const VMCR_WRITABLE = 0xfffc_0213n;
const VMCR_FIXED = 1n << 3n;
const LR_WRITABLE = 0xf0ff_1fff_ffff_ffffn;

/** Which group's control decides whether EL1 has the virtual register (HCR_EL2.FMO, IMO), or either. */
type Owner = InterruptGroup | 'common';

interface Virtual {
  readonly owner: Owner;
  /** Encoding of a row that no instruction can name. */
  readonly row: number;
}
const byPhysical = new Map<number, Virtual>();
const rows: [string, RegisterRow][] = [];

function vmcr(el2: El2State | undefined, shift: number, mask: number): number {
  return ((el2?.low(El2Slot.ICH_VMCR) ?? 0) >>> shift) & mask;
}
function setVmcr(el2: El2State | undefined, host: RegisterHost, shift: number, mask: number, value: number): void {
  if (el2 === undefined) return;
  const kept = el2.low(El2Slot.ICH_VMCR) & ~(mask << shift);
  el2.set(El2Slot.ICH_VMCR, BigInt((kept | ((value & mask) << shift)) >>> 0));
  host.interrupts?.update();
}

/** An ICV register, in place of the ICC register with this encoding. */
function virtual(name: string, physical: number, owner: Owner, row: Pick<RegisterRow, 'read' | 'write'>): void {
  // op0 of MRS and MSR is 2 or 3.
  const encoding = physical & 0x3fff;
  byPhysical.set(physical, { owner, row: encoding });
  rows.push([name, behaves(encoding, row)]);
}

const CTLR = e(3, 0, 12, 12, 4);
const PMR = e(3, 0, 4, 6, 0);
const RPR = e(3, 0, 12, 11, 3);
const DIR = e(3, 0, 12, 11, 1);
const SGIS: readonly number[] = [e(3, 0, 12, 11, 5), e(3, 0, 12, 11, 6), e(3, 0, 12, 11, 7)];
const Group = [
  { crm: 8, bpr: e(3, 0, 12, 8, 3), ap: e(3, 0, 12, 8, 4), enable: e(3, 0, 12, 12, 6), active: El2Slot.ICH_AP0R0 },
  { crm: 12, bpr: e(3, 0, 12, 12, 3), ap: e(3, 0, 12, 9, 0), enable: e(3, 0, 12, 12, 7), active: El2Slot.ICH_AP1R0 },
] as const;

virtual('ICV_PMR_EL1', PMR, 'common', {
  read: ({ el2 }) => BigInt(vmcr(el2, virtualControls.pmr, PRIORITY_BITS)),
  write: ({ el2 }, value, host) => {
    setVmcr(el2, host, virtualControls.pmr, 0xff, Number(value & BigInt(PRIORITY_BITS)));
  },
});
virtual('ICV_CTLR_EL1', CTLR, 'common', {
  read: ({ el2 }) =>
    virtualControls.ctlr.reduce(
      (bits, [field, bit]) => bits | (((el2?.low(El2Slot.ICH_VMCR) ?? 0) & field) === 0 ? 0n : BigInt(bit)),
      CTLR_FIXED,
    ),
  write: ({ el2 }, value, host) => {
    for (const [field, bit] of virtualControls.ctlr) {
      setVmcr(el2, host, 0, field, (Number(value & 3n) & bit) === 0 ? 0 : field);
    }
  },
});
virtual('ICV_RPR_EL1', RPR, 'common', {
  read: (_context, { interrupts }) => BigInt(interrupts?.virtual.runningPriority ?? 0xff),
});
virtual('ICV_DIR_EL1', DIR, 'common', {
  write: (_context, value, { interrupts }) => interrupts?.virtual.deactivate(value),
});
for (const group of [0, 1] as const) {
  const { crm, bpr, ap, enable, active } = Group[group];
  virtual(`ICV_IAR${String(group)}_EL1`, e(3, 0, 12, crm, 0), group, {
    read: (_context, { interrupts }) => interrupts?.virtual.acknowledge(group) ?? NONE,
  });
  virtual(`ICV_EOIR${String(group)}_EL1`, e(3, 0, 12, crm, 1), group, {
    write: (_context, value, { interrupts }) => interrupts?.virtual.end(group, value),
  });
  virtual(`ICV_HPPIR${String(group)}_EL1`, e(3, 0, 12, crm, 2), group, {
    read: (_context, { interrupts }) => interrupts?.virtual.highestPending(group) ?? NONE,
  });
  virtual(`ICV_BPR${String(group)}_EL1`, bpr, group, {
    read: (_context, { interrupts }) => BigInt(interrupts?.virtual.binaryPoint(group) ?? MIN_BPR[group]),
    write: ({ el2 }, value, host) => {
      const common = group === 1 && vmcr(el2, 0, virtualControls.ctlr[0][0]) !== 0;
      if (!common) setVmcr(el2, host, virtualControls.bpr[group], 7, Math.max(Number(value & 7n), MIN_BPR[group]));
    },
  });
  virtual(`ICV_AP${String(group)}R0_EL1`, ap, group, {
    read: ({ el2 }) => el2?.get(active) ?? 0n,
    write: ({ el2 }, value, host) => {
      el2?.set(active, value & 0xffff_ffffn);
      host.interrupts?.update();
    },
  });
  virtual(`ICV_IGRPEN${String(group)}_EL1`, enable, group, {
    read: ({ el2 }) => BigInt(vmcr(el2, group, 1)),
    write: ({ el2 }, value, host) => {
      setVmcr(el2, host, group, 1, Number(value & 1n));
    },
  });
}

/** A register of EL2 on which depends what the virtual interface signals. */
function kept(encoding: number, slot: El2Slot, writable: bigint, fixed = 0n): RegisterRow {
  return {
    encoding,
    el: 2,
    el2Slot: slot,
    reset: fixed,
    read: ({ el2 }) => el2?.get(slot) ?? 0n,
    write: ({ el2 }, value, host) => {
      el2?.set(slot, (value & writable) | fixed);
      host.interrupts?.update();
    },
  };
}
function shows(encoding: number, value: (host: RegisterHost) => number | undefined): RegisterRow {
  return behaves(encoding, { el: 2, read: (_context, host) => BigInt(value(host) ?? 0) });
}

/** The virtual CPU interface: its registers of EL2, and those of EL1 by the names ICV (IHI0069, 12.3 and 12.4). */
export const virtualInterfaceRegisters: Readonly<Record<string, RegisterRow>> = {
  ICH_HCR_EL2: kept(e(3, 4, 12, 11, 0), El2Slot.ICH_HCR, ICH_HCR_WRITABLE),
  ICH_VTR_EL2: behaves(e(3, 4, 12, 11, 1), { el: 2, read: () => VTR }),
  ICH_MISR_EL2: shows(e(3, 4, 12, 11, 2), ({ interrupts }) => interrupts?.virtual.maintenance),
  ICH_EISR_EL2: shows(e(3, 4, 12, 11, 3), ({ interrupts }) => interrupts?.virtual.ended),
  ICH_ELRSR_EL2: shows(e(3, 4, 12, 11, 5), ({ interrupts }) => interrupts?.virtual.empty),
  ICH_VMCR_EL2: kept(e(3, 4, 12, 11, 7), El2Slot.ICH_VMCR, VMCR_WRITABLE, VMCR_FIXED),
  ICH_AP0R0_EL2: kept(e(3, 4, 12, 8, 0), El2Slot.ICH_AP0R0, 0xffff_ffffn),
  ICH_AP1R0_EL2: kept(e(3, 4, 12, 9, 0), El2Slot.ICH_AP1R0, 0xffff_ffffn),
  ...Object.fromEntries(
    Array.from({ length: LIST_REGISTERS }, (_, n) => [
      `ICH_LR${String(n)}_EL2`,
      kept(e(3, 4, 12, 12, n), El2Slot.ICH_LR0 + n, LR_WRITABLE),
    ]),
  ),
  ...Object.fromEntries(rows),
};

function virtualizes(el2: El2State, owner: Owner): boolean {
  const [fiq, irq] = [el2.virtualizes('fiq'), el2.virtualizes('irq')];
  return owner === 'common' ? fiq || irq : owner === 0 ? fiq : irq;
}

/** The ICV register that an ICC name means at EL1, or that name where EL2 does not virtualize its interrupts. */
export function virtualRegister(el2: El2State, encoding: number): number {
  const found = byPhysical.get(encoding);
  return found !== undefined && virtualizes(el2, found.owner) ? found.row : encoding;
}

/** Whether EL2 takes an access of EL1 to the CPU interface (ICH_HCR_EL2, and SGIs by HCR_EL2.FMO and IMO). */
export function trapsInterface(el2: El2State, encoding: number): boolean {
  if (SGIS.includes(encoding)) return virtualizes(el2, 'common');
  const found = byPhysical.get(encoding);
  if (found === undefined) return false;
  const hcr = el2.low(El2Slot.ICH_HCR);
  if (encoding === DIR && (hcr & IchHcr.TDIR) !== 0) return true;
  const control = found.owner === 'common' ? IchHcr.TC : found.owner === 0 ? IchHcr.TALL0 : IchHcr.TALL1;
  return (hcr & control) !== 0;
}
