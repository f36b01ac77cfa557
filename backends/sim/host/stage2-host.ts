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

/** Result of mapping a page. */
type MapResult = 'mapped' | 'already-mapped';

/** The host's side of a realm's stage 2: supplies missing tables and pages. */
export class Stage2Host {
  readonly #rmi: RmiClient;
  readonly #granules: GranuleAllocator;
  readonly #rd: number;
  readonly #parTop: number;
  /** In order of creation, so parents come before children. */
  readonly #tables: Table[] = [];
  /** Normal world pages mapped at unprotected IPAs. */
  readonly #shared: number[] = [];

  constructor(rmi: RmiClient, granules: GranuleAllocator, rd: number, parTop: number) {
    this.#rmi = rmi;
    this.#granules = granules;
    this.#rd = rd;
    this.#parTop = parTop;
  }

  /** Allocates and delegates a granule. */
  delegated(): number {
    const pa = this.#granules.allocate();
    this.#rmi.must('GRANULE_DELEGATE', pa);
    return pa;
  }

  /** Undelegates and frees a granule that the RMM no longer uses. */
  reclaim(pa: number): void {
    this.#rmi.must('GRANULE_UNDELEGATE', pa);
    this.#granules.free(pa);
  }

  /** Creates the table of `level` for an IPA. */
  createTable(ipa: number, level: number): void {
    const base = Math.floor(ipa / entrySpan(level - 1)) * entrySpan(level - 1);
    this.#rmi.must('RTT_CREATE', this.#rd, this.delegated(), base, level);
    this.#tables.push({ ipa: base, level });
  }

  /** Creates all tables from below `reached` down to the leaves. */
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

  /** Copies a page of the Normal world into a new realm, and measures it. @param source which is not changed */
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
   * Repeats a command that proceeds through [base, top) in steps until it is done, creating tables for entries that are
   * too large.
   *
   * @param call makes the call for the rest from an address on and returns X0; X1 is how far it got
   * @returns how far the RMM got: `top` unless it rejects an entry of the last level
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

  /** Destroys the pages of [base, top). */
  destroyPages(base: number, top: number): void {
    let ipa = base;
    while (ipa < top) {
      const result = this.#rmi.call('DATA_DESTROY', this.#rd, ipa);
      const { status, index } = rmiStatus(result);
      const next = this.#rmi.result(2);
      if (result === RmiStatus.Success) this.reclaim(this.#rmi.result(1));
      else if (status !== RmiStatus.ErrorRtt) throw this.#rmi.failure('DATA_DESTROY', result, [this.#rd, ipa]);
      // A live address that is not a page is a larger entry.
      if (next > ipa) ipa = next;
      else ipa += entrySpan(index);
    }
  }

  /** Destroys all pages and tables, children before parents. */
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
