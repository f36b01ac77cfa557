import { faultStatusName } from './fault-status.ts';

/** A decoded ESR_EL2. The names are those of the Arm ARM (ESR_EL2, `ISS encoding for …`). */
export interface Syndrome {
  /** ESR_EL2.EC. */
  readonly ec: number;
  /** The exception class in words. */
  readonly name: string;
  /** The fields of ISS for this class, and `IL`. Fields that ISV or FnV make meaningless are left out. */
  readonly iss: Readonly<Record<string, number>>;
}

/** `[name, lowest bit, width]`. */
type Field = readonly [name: string, low: number, width: number];

interface ExceptionClassLayout {
  readonly name: string;
  readonly fields: readonly Field[];
}

const conditionFields: readonly Field[] = [
  ['CV', 24, 1],
  ['COND', 20, 4],
];
const immediateFields: readonly Field[] = [['imm16', 0, 16]];
const instructionAbortFields: readonly Field[] = [
  ['SET', 11, 2],
  ['FnV', 10, 1],
  ['EA', 9, 1],
  ['S1PTW', 7, 1],
  ['IFSC', 0, 6],
];
const dataAbortFields: readonly Field[] = [
  ['ISV', 24, 1],
  ['VNCR', 13, 1],
  ['SET', 11, 2],
  ['FnV', 10, 1],
  ['EA', 9, 1],
  ['CM', 8, 1],
  ['S1PTW', 7, 1],
  ['WnR', 6, 1],
  ['DFSC', 0, 6],
];
/** ISS[23:14], which describe the access only if ISV is 1. */
const accessFields: readonly Field[] = [
  ['SAS', 22, 2],
  ['SSE', 21, 1],
  ['SRT', 16, 5],
  ['SF', 15, 1],
  ['AR', 14, 1],
];
const instructionAbort = (where: string): ExceptionClassLayout => ({
  name: `instruction abort from ${where}`,
  fields: instructionAbortFields,
});
const dataAbort = (where: string): ExceptionClassLayout => ({
  name: `data abort from ${where}`,
  fields: dataAbortFields,
});
const debug = (name: string): ExceptionClassLayout => ({ name, fields: [['IFSC', 0, 6]] });

const layouts: ReadonlyMap<number, ExceptionClassLayout> = new Map([
  [0x00, { name: 'unknown reason', fields: [] }],
  [
    0x01,
    {
      name: 'trapped WFI or WFE',
      fields: [...conditionFields, ['RN', 5, 5], ['RV', 2, 1], ['TI', 0, 2]],
    },
  ],
  [0x07, { name: 'trapped SIMD or floating point', fields: conditionFields }],
  [0x09, { name: 'trapped pointer authentication', fields: [] }],
  [0x0d, { name: 'branch target exception', fields: [['BTYPE', 0, 2]] }],
  [0x0e, { name: 'illegal execution state', fields: [] }],
  [0x15, { name: 'SVC', fields: immediateFields }],
  [0x16, { name: 'HVC', fields: immediateFields }],
  [0x17, { name: 'SMC', fields: immediateFields }],
  [
    0x18,
    {
      name: 'trapped system instruction',
      fields: [
        ['Op0', 20, 2],
        ['Op2', 17, 3],
        ['Op1', 14, 3],
        ['CRn', 10, 4],
        ['Rt', 5, 5],
        ['CRm', 1, 4],
        ['Direction', 0, 1],
      ],
    },
  ],
  [0x19, { name: 'trapped SVE', fields: [] }],
  [
    0x1c,
    {
      name: 'pointer authentication failure',
      fields: [
        ['InstrOrData', 1, 1],
        ['AorB', 0, 1],
      ],
    },
  ],
  [0x1d, { name: 'trapped SME', fields: [['SMTC', 0, 3]] }],
  [0x20, instructionAbort('a lower Exception level')],
  [0x21, instructionAbort('the same Exception level')],
  [0x22, { name: 'PC alignment fault', fields: [] }],
  [0x24, dataAbort('a lower Exception level')],
  [0x25, dataAbort('the same Exception level')],
  [0x26, { name: 'SP alignment fault', fields: [] }],
  [
    0x2c,
    {
      name: 'trapped floating-point exception',
      fields: [
        ['TFV', 23, 1],
        ['VECITR', 8, 3],
      ],
    },
  ],
  [
    0x2f,
    {
      name: 'SError',
      fields: [
        ['IDS', 24, 1],
        ['AET', 10, 3],
        ['EA', 9, 1],
        ['DFSC', 0, 6],
      ],
    },
  ],
  [0x30, debug('breakpoint from a lower Exception level')],
  [0x31, debug('breakpoint from the same Exception level')],
  [0x32, debug('software step from a lower Exception level')],
  [0x33, debug('software step from the same Exception level')],
  [0x34, debug('watchpoint from a lower Exception level')],
  [0x35, debug('watchpoint from the same Exception level')],
  [0x3c, { name: 'BRK', fields: immediateFields }],
]);

/**
 * Decodes ESR_EL2 bits 31:0. Covers the classes that an exit of a plane or of a VM can have; others are named
 * `reserved`.
 */
export function decodeSyndrome(esr: number): Syndrome {
  const ec = esr >>> 26;
  const layout = layouts.get(ec);
  const iss: Record<string, number> = { IL: (esr >>> 25) & 1 };
  if (layout === undefined) {
    iss['ISS'] = esr & 0x1ff_ffff;
    return { ec, name: `reserved exception class 0x${ec.toString(16)}`, iss };
  }
  extract(iss, layout.fields, esr);
  if (iss['ISV'] === 1) extract(iss, accessFields, esr);
  return { ec, name: layout.name, iss };
}

function extract(into: Record<string, number>, fields: readonly Field[], esr: number): void {
  for (const [name, low, width] of fields) into[name] = (esr >>> low) & ((1 << width) - 1);
}

/**
 * One readable line about an exception with this syndrome.
 *
 * @param ipa the faulting IPA, if HPFAR_EL2 and FAR_EL2 are valid
 * @param space name of the address space
 */
export function summarizeSyndrome(syndrome: Syndrome, ipa: bigint | undefined, space = 'IPA'): string {
  const { ec, iss, name } = syndrome;
  const at = ipa === undefined ? '' : ` at ${space} 0x${ipa.toString(16)}`;
  switch (ec) {
    case 0x01:
      return `trapped ${['WFI', 'WFE', 'WFIT', 'WFET'][iss['TI'] ?? 0] ?? 'WFI'}`;
    case 0x15:
    case 0x16:
    case 0x17:
    case 0x3c:
      return `${name} #0x${(iss['imm16'] ?? 0).toString(16)}`;
    case 0x18:
      return summarizeSystemInstruction(iss);
    case 0x20:
    case 0x21:
      return `instruction abort: fetch${at}, ${faultStatusName(iss['IFSC'] ?? 0)}`;
    case 0x24:
    case 0x25:
      return `data abort: ${describeAccess(iss)}${at}, ${faultStatusName(iss['DFSC'] ?? 0)}`;
    default:
      return name;
  }
}

function describeAccess(iss: Readonly<Record<string, number>>): string {
  if (iss['CM'] === 1) return 'cache maintenance';
  const direction = iss['WnR'] === 1 ? 'write' : 'read';
  if (iss['ISV'] !== 1) return `${direction} without a valid syndrome (ISV=0)`;
  const bytes = 1 << (iss['SAS'] ?? 0);
  return `${direction} of ${bytes} byte${bytes === 1 ? '' : 's'}`;
}

function summarizeSystemInstruction(iss: Readonly<Record<string, number>>): string {
  const register = `S${iss['Op0'] ?? 0}_${iss['Op1'] ?? 0}_C${iss['CRn'] ?? 0}_C${iss['CRm'] ?? 0}_${iss['Op2'] ?? 0}`;
  const rt = iss['Rt'] === 31 ? 'XZR' : `X${iss['Rt'] ?? 0}`;
  return iss['Direction'] === 1 ? `trapped MRS ${rt}, ${register}` : `trapped MSR ${register}, ${rt}`;
}
