import { sysreg } from '../pe/system-registers.ts';
import type { CpuContext } from '../types.ts';
import { Descriptor, Tcr } from './table-builder.ts';
import { SCTLR_EL1, TestMachine } from './test-machine.ts';

const PAGE = 4096;
const { AccessFlag, Page, ReadOnly, Table, User } = Descriptor;
/** Tables of levels 1 to 3 for the first 2 MiB, of two address spaces; IPAs. */
const TABLES = [
  [0x4_0000, 0x4_1000, 0x4_2000],
  [0x4_3000, 0x4_4000, 0x4_5000],
] as const;
const RESET_SCTLR = 0xc5_0878n;

/**
 * A `TestMachine` with stage 1 on, and two address spaces that map the code, the data and the vectors to themselves.
 */
export class MappedMachine extends TestMachine {
  /** More memory, at an IPA. */
  static readonly OTHER_DATA = 0x4_6000;
  static readonly TCR = Tcr.t0sz(39) | Tcr.Epd1 | Tcr.ips(5);
  /** Translations by stage 2, of walks and of what they find. */
  walks = 0;

  constructor() {
    super();
    [...TABLES.flat(), MappedMachine.OTHER_DATA].forEach((ipa, index) => {
      this.stage2.map(ipa, 8 + index);
    });
    for (const space of [0, 1] as const) {
      const [level1, level2, level3] = TABLES[space];
      this.poke(level1, BigInt(level2) | Table);
      this.poke(level2, BigInt(level3) | Table);
      for (const page of [TestMachine.CODE, TestMachine.CODE + PAGE, TestMachine.VECTORS]) {
        this.map(space, page, page, ReadOnly | User);
      }
      for (const page of [TestMachine.DATA, TestMachine.DATA + PAGE]) this.map(space, page, page);
    }
    this.enable(this.context);
    const translate = this.stage2.translate.bind(this.stage2);
    this.stage2.translate = (ipa) => {
      this.walks += 1;
      return translate(ipa);
    };
  }

  /** Turns stage 1 on. @param more bits of TCR_EL1 */
  enable(context: CpuContext, more = 0n): void {
    context.setSysreg(sysreg.MAIR_EL1, 0x04ffn);
    context.setSysreg(sysreg.TCR_EL1, MappedMachine.TCR | more);
    context.setSysreg(sysreg.TTBR0_EL1, this.ttbr(0, 1));
    context.setSysreg(SCTLR_EL1, RESET_SCTLR | 1n);
  }

  /** TTBR0_EL1 of an address space. */
  ttbr(space: 0 | 1, asid: number): bigint {
    return (BigInt(asid) << 48n) | BigInt(TABLES[space][0]);
  }

  /** IPA of the level 2 or level 3 descriptor of an address. */
  descriptorAt(space: 0 | 1, va: number, level: 2 | 3 = 3): number {
    return level === 3 ? TABLES[space][2] + (va >> 12) * 8 : TABLES[space][1] + (va >> 21) * 8;
  }

  /** Writes a descriptor of a page, as a guest that does no maintenance. */
  map(space: 0 | 1, va: number, ipa: number, attributes = 0n): void {
    this.poke(this.descriptorAt(space, va), BigInt(ipa) | attributes | AccessFlag | Page);
  }

  poke(ipa: number, value: bigint): void {
    this.memory.view.setBigUint64(this.offset(ipa), value, true);
  }
  peek(ipa: number): bigint {
    return this.memory.view.getBigUint64(this.offset(ipa), true);
  }
}
