import { expect, it } from 'vitest';

import { Cost } from './effort.ts';
import { RECORD_PAGES } from './layout.ts';
import {
  addImm,
  b,
  bCond,
  CPACR_EL1,
  eret,
  mrs,
  msr,
  nop,
  strW,
  subsImm,
  svc,
  TestMachine,
} from './testing/test-machine.ts';
import { RunExit } from './types.ts';

const { CODE, VECTORS } = TestMachine;
const PAGE = 4096;
/** Budget of one call of `run`. */
const BUDGET = 200_000;
/** What a run may start just before its budget ends: straight-line code, a pass of decoding or compiling, a table. */
const LAST_STEP = 120_000;
const NE = 1;
const FRSQRTE_4S = 0x6ea1_d824; // V4.4S, V1.4S
const SIMD = 0x4e20_1c00; // AND V0.16B, V0.16B, V0.16B
const LDR_NEXT_PAGE = [0xf940_0024, 0x9140_0421]; // LDR X4, [X1]; ADD X1, X1, #1, LSL #12
const FRESH = 0x100_0000;

interface Guest {
  readonly name: string;
  /** Instructions that a run may retire at most, since each of them is charged what it costs the host. */
  readonly most: number;
  readonly setUp: (machine: TestMachine) => void;
}

/** Maps a range of pages to one physical page: each needs a TLB entry and records of its own. */
function mapFresh(machine: TestMachine, pages: number, physical: number): void {
  for (let page = 0; page < pages; page += 1) machine.stage2.map(FRESH + page * PAGE, physical);
}

const guests: readonly Guest[] = [
  {
    name: 'floating-point operations in TypeScript, in a loop',
    most: (2 * BUDGET) / (Cost.ExactFloat + 4 * Cost.ExactLane),
    setUp: (machine) => machine.load([FRSQRTE_4S, FRSQRTE_4S, FRSQRTE_4S, b(-12)]),
  },
  {
    name: 'floating-point operations in TypeScript, in straight code of a page',
    most: (2 * BUDGET) / (Cost.ExactFloat + 4 * Cost.ExactLane),
    setUp: (machine) => machine.load([...Array.from({ length: 1023 }, () => FRSQRTE_4S), b(-4 * 1023)]),
  },
  {
    name: 'fast code and then floating-point operations in TypeScript',
    most: BUDGET,
    setUp: (machine) =>
      machine.load([
        addImm(0, 31, 4095),
        subsImm(0, 0, 1),
        bCond(NE, -4),
        ...Array<number>(64).fill(FRSQRTE_4S),
        b(-4 * 67),
      ]),
  },
  {
    name: 'loads that miss the TLB',
    most: (4 * BUDGET) / Cost.SlowAccess + 4096,
    setUp: (machine) => {
      mapFresh(machine, 4095, 5);
      const round = [...LDR_NEXT_PAGE, subsImm(0, 0, 1), bCond(NE, -12), addImm(0, 31, 4095), addImm(1, 2, 0), b(-24)];
      machine.load(round);
      machine.context.setX(2, BigInt(FRESH));
      machine.context.pc = BigInt(CODE + 16);
    },
  },
  {
    name: 'stores to the page of code that they are in',
    most: (4 * BUDGET) / Cost.SlowAccess,
    setUp: (machine) => {
      machine.load([strW(3, 1), b(-4)]);
      machine.context.setX(1, BigInt(CODE + 64));
    },
  },
  {
    name: 'hot code that is written over again and again',
    most: BUDGET,
    setUp: (machine) => {
      machine.load([addImm(0, 31, 4095), addImm(2, 2, 1), subsImm(0, 0, 1), bCond(NE, -8), strW(3, 1), b(-20)]);
      machine.context.setX(1, BigInt(CODE + 4));
      machine.context.setX(3, BigInt(addImm(2, 2, 1)));
    },
  },
  {
    name: 'code on more pages than there is room for',
    most: (2 * BUDGET) / Cost.Page,
    setUp: (machine) => {
      mapFresh(machine, RECORD_PAGES + 100, 5);
      machine.stage2.map(FRESH + (RECORD_PAGES + 100) * PAGE, 6);
      machine.write(FRESH, [b(PAGE)]);
      machine.write(FRESH + (RECORD_PAGES + 100) * PAGE, [0xd61f_0040]); // BR X2
      machine.context.setX(2, BigInt(FRESH));
      machine.context.pc = BigInt(FRESH);
    },
  },
  {
    name: 'access to SIMD&FP that comes and goes',
    most: (8 * BUDGET) / Cost.Page,
    setUp: (machine) => {
      machine.load([msr(CPACR_EL1, 6), SIMD, msr(CPACR_EL1, 7), b(-12)]);
      machine.context.setX(6, 3n << 20n);
    },
  },
  {
    name: 'exceptions',
    most: (2 * BUDGET) / Cost.Event,
    setUp: (machine) => {
      machine.write(VECTORS + 0x200, [eret]);
      machine.load([svc(0), b(-4)]);
    },
  },
  {
    name: 'exceptions whose vectors fault',
    most: (2 * BUDGET) / Cost.Event,
    setUp: (machine) => {
      machine.write(VECTORS + 0x200, [0]);
      machine.load([0]);
    },
  },
  {
    name: 'system registers',
    most: (4 * BUDGET) / Cost.Event,
    setUp: (machine) => machine.load([mrs(0, 0xdf02), nop, b(-8)]),
  },
];

it.each(guests)('bounds the work of the host in one call: $name', ({ most, setUp }) => {
  const machine = new TestMachine();
  setUp(machine);
  const runs = Array.from({ length: 40 }, () => {
    const { effort, retired } = machine.vcpu;
    expect(machine.vcpu.run(BUDGET)).toBe(RunExit.Budget);
    return { effort: machine.vcpu.effort - effort, retired: machine.vcpu.retired - retired };
  });
  expect(Math.max(...runs.map(({ effort }) => effort))).toBeLessThan(BUDGET + LAST_STEP);
  expect(Math.max(...runs.map(({ retired }) => retired))).toBeLessThanOrEqual(most + 1024);
  expect(Math.max(...runs.map(({ retired }) => retired))).toBeGreaterThan(0);
});

it('charges every walk of stage 2', () => {
  const machine = new TestMachine();
  guests.find(({ name }) => name === 'loads that miss the TLB')?.setUp(machine);
  let walks = 0;
  const { stage2 } = machine;
  const translate = stage2.translate.bind(stage2);
  stage2.translate = (ipa) => {
    walks += 1;
    return translate(ipa);
  };
  machine.vcpu.run(BUDGET);
  expect(walks).toBeGreaterThan(1000);
  expect(walks).toBeLessThan((BUDGET + LAST_STEP) / Cost.SlowAccess);
});
