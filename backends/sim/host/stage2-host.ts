import { type RmiCommand, RmiStatus } from '../rmm/index.ts';
import type { GranuleAllocator } from './granule-allocator.ts';
import { type RmiClient, rmiStatus } from './rmi-client.ts';
import { entrySpan } from './rtt-root.ts';

const LEAF_LEVEL = 3;

/** A table that the host gave to a realm after its creation. */
interface Table {
  readonly ipa: number;
  readonly level: number;
}

/** Whether a page could be mapped. */
type MapResult = 'mapped' | 'already-mapped';

/** The host's part of a realm's stage 2: gives it tables and pages where they are missing. */
export class Stage2Host {
  readonly #rmi: RmiClient;
  readonly #granules: GranuleAllocator;
  readonly #rd: number;
  readonly #parTop: number;
  /** In order of creation: parents before children. */
  readonly #tables: Table[] = [];
  /** Normal world pages mapped at unprotected IPAs. */
  readonly #shared: number[] = [];

  constructor(rmi: RmiClient, granules: GranuleAllocator, rd: number, parTop: number) {
    this.#rmi = rmi;
    this.#granules = granules;
    this.#rd = rd;
    this.#parTop = parTop;
  }

  /** A granule of the Realm world. */
  delegated(): number {
    const pa = this.#granules.allocate();
    this.#rmi.must('GRANULE_DELEGATE', pa);
    return pa;
  }

  /** Takes a granule back that the RMM does not need any more. */
  reclaim(pa: number): void {
    this.#rmi.must('GRANULE_UNDELEGATE', pa);
    this.#granules.free(pa);
  }

  /** Makes the table of `level` at an IPA. */
  createTable(ipa: number, level: number): void {
    const base = Math.floor(ipa / entrySpan(level - 1)) * entrySpan(level - 1);
    this.#rmi.must('RTT_CREATE', this.#rd, this.delegated(), base, level);
    this.#tables.push({ ipa: base, level });
  }

  /** Makes all tables from `reached` down to the leaves. */
  createTables(ipa: number, reached: number): void {
    for (let level = reached + 1; level <= LEAF_LEVEL; level++) this.createTable(ipa, level);
  }

  /** Gives the realm an empty page. */
  mapPage(ipa: number): MapResult {
    const pa = this.delegated();
    let result = this.#rmi.call('DATA_CREATE_UNKNOWN', this.#rd, pa, ipa);
    const { status, index } = rmiStatus(result);
    if (status === RmiStatus.ErrorRtt && index < LEAF_LEVEL) {
      this.createTables(ipa, index);
      result = this.#rmi.call('DATA_CREATE_UNKNOWN', this.#rd, pa, ipa);
    }
    if (result === RmiStatus.Success) return 'mapped';
    this.reclaim(pa);
    if (rmiStatus(result).status === RmiStatus.ErrorRtt) return 'already-mapped';
    throw this.#rmi.failure('DATA_CREATE_UNKNOWN', result, [this.#rd, pa, ipa]);
  }

  /** Puts a page of the Normal world into a new realm, measured. @param source that is left as it is */
  populate(ipa: number, source: number): void {
    const pa = this.delegated();
    const args = [this.#rd, pa, ipa, source, 1] as const;
    const result = this.#rmi.call('DATA_CREATE', ...args);
    const { status, index } = rmiStatus(result);
    if (result === RmiStatus.Success) return;
    if (status !== RmiStatus.ErrorRtt || index >= LEAF_LEVEL) throw this.#rmi.failure('DATA_CREATE', result, args);
    this.createTables(ipa, index);
    this.#rmi.must('DATA_CREATE', ...args);
  }

  /** Gives the realm a page of Normal world memory at an unprotected IPA. @param attributes of the descriptor */
  mapShared(ipa: number, attributes: number): MapResult {
    const pa = this.#granules.allocate();
    const descriptor = pa + attributes;
    let result = this.#rmi.call('RTT_MAP_UNPROTECTED', this.#rd, ipa, LEAF_LEVEL, descriptor);
    const { status, index } = rmiStatus(result);
    if (status === RmiStatus.ErrorRtt && index < LEAF_LEVEL) {
      this.createTables(ipa, index);
      result = this.#rmi.call('RTT_MAP_UNPROTECTED', this.#rd, ipa, LEAF_LEVEL, descriptor);
    }
    if (result === RmiStatus.Success) {
      this.#shared.push(pa);
      return 'mapped';
    }
    this.#granules.free(pa);
    if (rmiStatus(result).status === RmiStatus.ErrorRtt) return 'already-mapped';
    throw this.#rmi.failure('RTT_MAP_UNPROTECTED', result, [this.#rd, ipa, LEAF_LEVEL, descriptor]);
  }

  /**
   * Repeats a command that works its way through [base, top) until it is done, making tables where its entries are too
   * large.
   *
   * @param call one call from an address on @returns X0; X1 is how far it came
   * @returns how far the RMM let it come: `top` unless it refuses an entry of the last level
   */
  cover(command: RmiCommand, base: number, top: number, call: (from: number) => number): number {
    let from = base;
    while (from < top) {
      const result = call(from);
      const { status, index } = rmiStatus(result);
      if (result === RmiStatus.Success) from = this.#rmi.result(1);
      else if (status === RmiStatus.ErrorRtt && index < LEAF_LEVEL) this.createTable(from, index + 1);
      else if (status === RmiStatus.ErrorRtt) return from;
      else throw this.#rmi.failure(command, result, [this.#rd, from, top]);
    }
    return from;
  }

  /** Takes the pages of [base, top) back. */
  destroyPages(base: number, top: number): void {
    let ipa = base;
    while (ipa < top) {
      const result = this.#rmi.call('DATA_DESTROY', this.#rd, ipa);
      const { status, index } = rmiStatus(result);
      const next = this.#rmi.result(2);
      if (result === RmiStatus.Success) this.reclaim(this.#rmi.result(1));
      else if (status !== RmiStatus.ErrorRtt) throw this.#rmi.failure('DATA_DESTROY', result, [this.#rd, ipa]);
      // An address that lives without being a page is an entry that spans more.
      if (next > ipa) ipa = next;
      else ipa += entrySpan(index);
    }
  }

  /** Takes all pages and tables back, children before parents. */
  destroyAll(): void {
    for (const { ipa, level } of this.#tables.reverse()) {
      if (level === LEAF_LEVEL && ipa < this.#parTop) this.destroyPages(ipa, ipa + entrySpan(LEAF_LEVEL - 1));
      this.#rmi.must('RTT_DESTROY', this.#rd, ipa, level);
      this.reclaim(this.#rmi.result(1));
    }
    this.#tables.length = 0;
    for (const pa of this.#shared) this.#granules.free(pa);
    this.#shared.length = 0;
  }
}
