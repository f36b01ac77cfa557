import { decodeSyndrome, summarizeSyndrome, type Syndrome } from '../../../petri/kit/arm/index.ts';
import type { PlaneExit } from '../../../petri/contract/index.ts';
import { ExceptionClass } from '../cpu/index.ts';

/** Index of each 32-bit word that is kept of one exit. */
const Word = {
  reason: 0,
  pstate: 1,
  pcLow: 2,
  pcHigh: 3,
  esrLow: 4,
  esrHigh: 5,
  farLow: 6,
  farHigh: 7,
  hpfarLow: 8,
  hpfarHigh: 9,
  reasonHigh: 10,
  pstateHigh: 11,
} as const;
const WORDS = 12;
/** Exception classes whose syndrome comes with an address. */
const ABORTS: readonly number[] = [
  ExceptionClass.InstructionAbortLower,
  ExceptionClass.InstructionAbortSame,
  ExceptionClass.DataAbortLower,
  ExceptionClass.DataAbortSame,
];
const INITIAL_EXITS = 32;

/** Offsets, in 32-bit words from the start of the run page, of the fields that are recorded. */
interface ExitWords {
  readonly reason: number;
  readonly pstate: number;
  readonly pc: number;
  readonly esr: number;
  readonly far: number;
  readonly hpfar: number;
}

interface ExitLogCapacity {
  /** Number of exits kept from the start of the run. */
  readonly first: number;
  /** Number of exits kept from its end. */
  readonly last: number;
}

/**
 * The exits of one plane. A guest may exit hundreds of thousands of times a second, so an exit is kept as raw words in
 * one typed array and decoded on request; of a long run only the first and the last are kept.
 */
export class ExitLog {
  readonly #capacity: ExitLogCapacity;
  /** Grows with the number of exits, up to the capacity: most runs have few. */
  #words = new Uint32Array(INITIAL_EXITS * WORDS);
  #count = 0;

  constructor(capacity: ExitLogCapacity = { first: 256, last: 1024 }) {
    this.#capacity = capacity;
  }

  /** Number of exits since the plane was first entered. */
  get count(): number {
    return this.#count;
  }

  /**
   * @param memory 32-bit view of the memory that holds the run page
   * @param page index in `memory` of the run page's first word
   */
  record(memory: Uint32Array, page: number, at: ExitWords): void {
    const to = this.#slotOf(this.#count++) * WORDS;
    if (to >= this.#words.length) this.#grow();
    const words = this.#words;
    words[to + Word.reason] = memory[page + at.reason] ?? 0;
    words[to + Word.reasonHigh] = memory[page + at.reason + 1] ?? 0;
    words[to + Word.pstate] = memory[page + at.pstate] ?? 0;
    words[to + Word.pstateHigh] = memory[page + at.pstate + 1] ?? 0;
    words[to + Word.pcLow] = memory[page + at.pc] ?? 0;
    words[to + Word.pcHigh] = memory[page + at.pc + 1] ?? 0;
    words[to + Word.esrLow] = memory[page + at.esr] ?? 0;
    words[to + Word.esrHigh] = memory[page + at.esr + 1] ?? 0;
    words[to + Word.farLow] = memory[page + at.far] ?? 0;
    words[to + Word.farHigh] = memory[page + at.far + 1] ?? 0;
    words[to + Word.hpfarLow] = memory[page + at.hpfar] ?? 0;
    words[to + Word.hpfarHigh] = memory[page + at.hpfar + 1] ?? 0;
  }

  /** The exits that are still kept, oldest first. */
  decode(): PlaneExit[] {
    const { first, last } = this.#capacity;
    const exits: PlaneExit[] = [];
    const syndromes = new Map<bigint, Syndrome>();
    for (let index = 0; index < Math.min(this.#count, first); index++) exits.push(this.#decodeAt(index, syndromes));
    for (let index = Math.max(first, this.#count - last); index < this.#count; index++)
      exits.push(this.#decodeAt(index, syndromes));
    return exits;
  }

  /** The most recent exit. */
  latest(): PlaneExit | undefined {
    return this.#count === 0 ? undefined : this.#decodeAt(this.#count - 1, new Map());
  }

  #slotOf(index: number): number {
    const { first, last } = this.#capacity;
    return index < first ? index : first + ((index - first) % last);
  }

  #grow(): void {
    const most = (this.#capacity.first + this.#capacity.last) * WORDS;
    const words = new Uint32Array(Math.min(this.#words.length * 8, most));
    words.set(this.#words);
    this.#words = words;
  }

  /** @param syndromes decoded before: most exits share their syndrome with others */
  #decodeAt(index: number, syndromes: Map<bigint, Syndrome>): PlaneExit {
    const from = this.#slotOf(index) * WORDS;
    const wide = (low: number, high: number): bigint =>
      (BigInt(this.#words[from + high] ?? 0) << 32n) | BigInt(this.#words[from + low] ?? 0);
    return decodeExit(
      {
        index,
        reason: wide(Word.reason, Word.reasonHigh),
        pc: wide(Word.pcLow, Word.pcHigh),
        pstate: wide(Word.pstate, Word.pstateHigh),
        esr: wide(Word.esrLow, Word.esrHigh),
        far: wide(Word.farLow, Word.farHigh),
        hpfar: wide(Word.hpfarLow, Word.hpfarHigh),
      },
      syndromes,
    );
  }
}

/** An exit as the run page reports it. */
interface RawExit {
  readonly index: number;
  readonly reason: bigint;
  readonly pc: bigint;
  readonly pstate: bigint;
  readonly esr: bigint;
  readonly far: bigint;
  readonly hpfar: bigint;
}

/** @param syndromes of exits decoded before, by ESR_EL2; the one of this exit is added */
export function decodeExit(raw: RawExit, syndromes = new Map<bigint, Syndrome>()): PlaneExit {
  const reason = reasonOf(raw.reason);
  let syndrome = syndromes.get(raw.esr);
  if (syndrome === undefined) {
    syndrome = decodeSyndrome(Number(raw.esr & 0xffff_ffffn));
    syndromes.set(raw.esr, syndrome);
  }
  const isAbort = reason === 'sync' && ABORTS.includes(syndrome.ec);
  const ipa = isAbort ? faultingIpa(raw.hpfar, raw.far, syndrome.iss['FnV'] === 1) : undefined;
  return {
    index: raw.index,
    reason,
    pc: raw.pc,
    pstate: raw.pstate,
    esr: raw.esr,
    far: raw.far,
    hpfar: raw.hpfar,
    ec: syndrome.ec,
    iss: syndrome.iss,
    ...(ipa === undefined ? {} : { ipa }),
    summary: reason === 'sync' ? summarizeSyndrome(syndrome, ipa) : summarizeOther(reason),
  };
}

/** HPFAR_EL2.FIPA is bits 43:4 and holds IPA[51:12]; FAR_EL2 gives the offset in the page unless FnV is set. */
function faultingIpa(hpfar: bigint, far: bigint, farNotValid: boolean): bigint {
  const page = ((hpfar >> 4n) & 0xff_ffff_ffffn) << 12n;
  return farNotValid ? page : page | (far & 0xfffn);
}

/** RsiPlaneExitReason (RMM specification). */
function reasonOf(value: bigint): PlaneExit['reason'] {
  if (value === 0n) return 'sync';
  if (value === 1n) return 'irq';
  if (value === 2n) return 'host';
  return { unknown: value };
}

function summarizeOther(reason: PlaneExit['reason']): string {
  if (reason === 'irq') return 'interrupt';
  if (reason === 'host') return 'return forced by the host';
  return typeof reason === 'object' ? `unknown exit reason ${reason.unknown}` : reason;
}
