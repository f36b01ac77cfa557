import { beforeEach, describe, expect, it } from 'vitest';

import { sysreg } from '../pe/system-registers.ts';
import { MappedMachine } from '../testing/mapped-machine.ts';
import { Descriptor } from '../testing/table-builder.ts';
import { addImm, b, hvc, isb, ldrX, ldtrX, msr, nop, strX, TestMachine } from '../testing/test-machine.ts';
import { RunExit, type CpuContext } from '../types.ts';

const { CODE, DATA } = TestMachine;
const { OTHER_DATA } = MappedMachine;
const { AccessFlag, Block, NotGlobal, User } = Descriptor;
/** Addresses of the tests: pages of their own in each space, a page for all, and a block. */
const [OWN, GLOBAL] = [0x5_0000, 0x5_1000];
const BLOCK = 0x20_0000;
const [FIRST, SECOND] = [0x1111n, 0x2222n];
const EL1H = 0x3c5;
const PAN = 1 << 22;

const tlbi = (crm: number, op2: number, rt = 31): number => 0xd508_8000 | (crm << 8) | (op2 << 5) | rt;
const operand = (va: number, asid: number): bigint => (BigInt(asid) << 48n) | BigInt(va >> 12);

let machine: MappedMachine;
/** Translations by stage 2 while guests ran. */
let walked = 0;
beforeEach(() => {
  machine = new MappedMachine();
  machine.poke(DATA, FIRST);
  machine.poke(OTHER_DATA, SECOND);
  machine.map(0, OWN, DATA, NotGlobal);
  machine.map(1, OWN, OTHER_DATA, NotGlobal);
  machine.map(0, GLOBAL, DATA);
  machine.map(1, GLOBAL, DATA);
});

/** Runs words at EL1, to an HVC. */
function run(words: readonly number[], context: CpuContext = machine.context, vcpu = machine.vcpu): void {
  machine.load([...words, hvc(0)]);
  vcpu.activate(context);
  context.pc = BigInt(CODE);
  context.pstate = EL1H | (context.pstate & PAN);
  let exit: RunExit = RunExit.Budget;
  const before = machine.walks;
  for (let slice = 0; slice < 100 && exit === RunExit.Budget; slice += 1) exit = vcpu.run(100_000);
  walked += machine.walks - before;
  expect([exit, vcpu.exit.ec]).toEqual([RunExit.Sync, 0x16]);
  expect(context.pc).toBe(BigInt(CODE + (words.length + 1) * 4));
}

/** Loads from an address in an address space, which its ASID names. */
function load(space: 0 | 1, va: number, asid = space + 1): bigint {
  machine.context.setX(1, BigInt(va));
  machine.context.setX(7, machine.ttbr(space, asid));
  run([msr(sysreg.TTBR0_EL1, 7), isb, ldrX(2, 1)]);
  return machine.context.x(2);
}

/** How often stage 2 translates while something happens. */
function walks(what: () => void): number {
  const before = walked;
  what();
  return walked - before;
}

describe('address spaces', () => {
  it('keep their entries while they alternate', () => {
    const turn = (): void => {
      expect([load(0, OWN), load(1, OWN)]).toEqual([FIRST, SECOND]);
    };
    turn();
    expect(walks(turn)).toBe(0);
    expect(walks(() => Array.from({ length: 10 }, turn))).toBe(0);
  });

  it('are as many as registers name: the tables count as well as the ASID', () => {
    expect([load(0, OWN, 5), load(1, OWN, 5), load(0, OWN, 5)]).toEqual([FIRST, SECOND, FIRST]);
  });

  it('are replaced when there are more than fit, and are still right', () => {
    for (const round of [0, 1]) {
      for (let asid = 1; asid <= 200; asid += 1) {
        expect([round, asid, load(0, OWN, asid), load(1, OWN, asid)]).toEqual([round, asid, FIRST, SECOND]);
      }
    }
  });

  it('of a context are not those of another with other tables', () => {
    const other = machine.vcpu.createContext(machine.stage2);
    machine.enable(other);
    other.setSysreg(sysreg.TTBR0_EL1, machine.ttbr(1, 1));
    for (const [context, value] of [
      [machine.context, FIRST],
      [other, SECOND],
      [machine.context, FIRST],
    ] as const) {
      context.setX(1, BigInt(OWN));
      run([ldrX(2, 1)], context);
      expect(context.x(2)).toBe(value);
    }
  });
});

describe('TLB maintenance', () => {
  /** Has both spaces hold both pages, changes all of them, and executes a TLBI. @returns what loads see afterwards */
  function after(word: number, value: bigint): Record<string, bigint> {
    for (const space of [0, 1] as const) for (const va of [OWN, GLOBAL]) load(space, va);
    machine.map(0, OWN, OTHER_DATA, NotGlobal);
    machine.map(1, OWN, DATA, NotGlobal);
    machine.map(0, GLOBAL, OTHER_DATA);
    machine.map(1, GLOBAL, OTHER_DATA);
    machine.context.setX(9, value);
    run([word, isb]);
    return { own1: load(0, OWN), own2: load(1, OWN), global1: load(0, GLOBAL), global2: load(1, GLOBAL) };
  }
  const nothing = { own1: FIRST, own2: SECOND, global1: FIRST, global2: FIRST };
  const [own1, own2] = [SECOND, FIRST];
  const global = { global1: SECOND, global2: SECOND };
  const range = (va: number, pages: number, asid: number): bigint =>
    (BigInt(asid) << 48n) | (1n << 46n) | (BigInt(pages / 2 - 1) << 39n) | BigInt(va >> 12);

  it.each([
    ['VMALLE1', tlbi(7, 0), 0n, { own1, own2, ...global }],
    ['VAE1', tlbi(7, 1, 9), operand(OWN, 1), { ...nothing, own1 }],
    ['VAE1 of the other ASID', tlbi(7, 1, 9), operand(OWN, 2), { ...nothing, own2 }],
    ['VAE1 of an ASID without entries', tlbi(7, 1, 9), operand(OWN, 3), nothing],
    ['VAE1 of a global entry, by any ASID', tlbi(7, 1, 9), operand(GLOBAL, 3), { ...nothing, ...global }],
    ['VALE1', tlbi(7, 5, 9), operand(OWN, 1), { ...nothing, own1 }],
    ['VAAE1', tlbi(7, 3, 9), operand(OWN, 7), { ...nothing, own1, own2 }],
    ['VAALE1', tlbi(7, 7, 9), operand(OWN, 0), { ...nothing, own1, own2 }],
    ['VAE1IS', tlbi(3, 1, 9), operand(OWN, 1), { ...nothing, own1 }],
    ['VAE1OS', tlbi(1, 1, 9), operand(OWN, 1), { ...nothing, own1 }],
    ['RVAE1', tlbi(6, 1, 9), range(OWN - 0x1000, 2, 1), { ...nothing, own1 }],
    ['RVAE1 with the global page', tlbi(6, 1, 9), range(OWN, 2, 1), { ...nothing, own1, ...global }],
    ['RVAAE1IS', tlbi(2, 3, 9), range(OWN - 0x7000, 8, 9), { ...nothing, own1, own2 }],
    ['RVALE1OS', tlbi(5, 5, 9), range(OWN, 2, 2), { ...nothing, own2, ...global }],
    ['RVAALE1 of other pages', tlbi(6, 7, 9), range(0x5_2000, 8, 0), nothing],
    ['RVAE1 by scale', tlbi(6, 3, 9), (1n << 46n) | (3n << 44n), { own1, own2, ...global }],
  ])('%s drops what it names and nothing else', (_name, word, value, expected) => {
    expect(after(word, value)).toEqual(expected);
  });

  it('by ASID drops entries of it, and may drop global ones with them', () => {
    expect(after(tlbi(7, 2, 9), 1n << 48n)).toMatchObject({ own1, own2: SECOND, global2: FIRST });
  });

  it('of one address of a block drops all of the block, and of no other', () => {
    const pieces = [BLOCK + DATA, BLOCK + DATA + 0x1000, BLOCK + CODE] as const;
    machine.poke(machine.descriptorAt(0, BLOCK, 2), AccessFlag | Block);
    for (const va of pieces) load(0, va);
    load(0, OWN);
    machine.poke(machine.descriptorAt(0, BLOCK, 2), 0n);
    machine.context.setX(9, operand(BLOCK + 0x10_0000, 1));
    run([tlbi(7, 1, 9), isb]);
    expect(walks(() => load(0, OWN))).toBe(0);
    for (const va of pieces) {
      machine.context.setX(1, BigInt(va));
      machine.load([ldrX(2, 1), hvc(0)]);
      machine.context.pc = BigInt(CODE);
      while (machine.vcpu.run(100_000) === RunExit.Budget);
      // Translation fault at level 2.
      expect([va, Number(machine.context.sysreg(sysreg.ESR_EL1)) & 0x3f]).toEqual([va, 0x06]);
    }
  });

  it('drops tables that walks keep, unless it is for the last level only', () => {
    load(0, OWN);
    // The same pages by another table of level 3.
    machine.poke(machine.descriptorAt(0, OWN, 2), machine.peek(machine.descriptorAt(1, OWN, 2)));
    machine.context.setX(9, operand(OWN, 1));
    run([tlbi(7, 5, 9), isb]);
    expect(load(0, OWN)).toBe(FIRST);
    run([tlbi(7, 1, 9), isb]);
    expect(load(0, OWN)).toBe(SECOND);
  });

  it('reaches other PEs if it is shareable only', () => {
    const other = machine.cpu.createVcpu(1);
    const context = other.createContext(machine.stage2);
    machine.enable(context);
    const loadThere = (words: readonly number[]): bigint => {
      context.setX(1, BigInt(OWN));
      run([...words, ldrX(2, 1)], context, other);
      return context.x(2);
    };
    expect([load(0, OWN), loadThere([])]).toEqual([FIRST, FIRST]);
    machine.map(0, OWN, OTHER_DATA, NotGlobal);
    context.setX(9, operand(OWN, 1));
    expect([loadThere([tlbi(7, 1, 9), isb]), load(0, OWN)]).toEqual([SECOND, FIRST]);
    expect([loadThere([tlbi(3, 1, 9), isb]), load(0, OWN)]).toEqual([SECOND, SECOND]);
  });
});

describe('PSTATE', () => {
  const setPan = 0xd500_419f;
  const clearPan = 0xd500_409f;

  it('PAN selects entries, and a change of it drops none', () => {
    load(0, OWN);
    const turn = (): void => {
      machine.context.setX(1, BigInt(OWN));
      run([setPan, ldrX(2, 1), clearPan, ldrX(2, 1)]);
    };
    turn();
    expect(walks(turn)).toBe(0);
  });

  it('UAO gives unprivileged accesses the privileges of EL1, until an exception', () => {
    const setUao = 0xd500_417f;
    machine.context.setX(1, BigInt(OWN));
    run([setUao, ldtrX(2, 1)]);
    expect(machine.context.x(2)).toBe(FIRST);
    machine.map(0, OWN, OTHER_DATA, NotGlobal | User);
    run([tlbi(7, 0), isb, ldtrX(2, 1)]);
    expect(machine.context.x(2)).toBe(SECOND);
    run([nop, 0xd538_4283]); // MRS X3, UAO
    expect(machine.context.x(3)).toBe(0n);
  });
});

describe('pages of code', () => {
  it('are guarded from stores without losing entries of other pages', () => {
    const stores = [strX(3, 1), addImm(4, 4, 1)];
    machine.context.setX(1, BigInt(DATA + 8));
    machine.write(CODE + 4096, [b(-4096 + 8)]);
    run(stores);
    const warm = walks(() => {
      run(stores);
    });
    expect(warm).toBe(0);
    // A page of code that is new: only its own fetch is translated.
    const fresh = walks(() => {
      run([b(4096), ...stores]);
    });
    expect(fresh).toBeLessThanOrEqual(3);
    machine.context.setX(1, BigInt(DATA + 16));
    machine.context.setX(3, 5n);
    run(stores);
    expect(machine.peek(DATA + 16)).toBe(5n);
  });
});
