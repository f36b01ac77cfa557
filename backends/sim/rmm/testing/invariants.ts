import { GranuleState } from '../realm/granule.ts';
import type { Realm } from '../realm/realm.ts';
import { ENTRIES, ENTRY_BYTES, entryAddress, entryState, EntryState } from '../realm/rtt-entry.ts';
import { entrySpan, LEAF_LEVEL } from '../realm/rtt.ts';
import type { RmmState } from '../rec/rmm-state.ts';

/**
 * Invariants of the RMM, whatever host and realms did: every granule has one use, which matches its state, and every
 * table has the right live count.
 *
 * @throws Error that describes a violation
 */
export function checkInvariants(state: RmmState): void {
  const used = new Map<number, string>();
  const use = (pa: number, kind: keyof typeof GranuleState, by: string) => {
    const before = used.get(pa);
    if (before !== undefined) throw new Error(`0x${pa.toString(16)} is ${by} and ${before}`);
    if (!state.granules.is(pa, GranuleState[kind])) throw new Error(`0x${pa.toString(16)} is ${by} but not ${kind}`);
    used.set(pa, by);
  };
  for (const realm of state.realms.values()) {
    use(realm.rd, 'Rd', 'a realm descriptor');
    const { base, count, startLevel } = realm.options.root;
    const entries = 2 ** realm.options.root.ipaWidth / entrySpan(startLevel);
    for (let table = 0; table < count; table++) {
      const ipa = table * ENTRIES * entrySpan(startLevel);
      checkTable(state, realm, base + table * 4096, startLevel, ipa, Math.min(entries, ENTRIES), use);
    }
    for (const rec of state.recsOf(realm)) {
      if (rec === undefined) continue;
      use(rec.pa, 'Rec', 'a REC');
      for (const pa of rec.aux) use(pa, 'RecAux', 'an auxiliary granule');
    }
  }
  for (let index = 0; index < state.granules.count; index++) {
    const pa = state.memory.base + index * 4096;
    const kind = state.granules.state(pa);
    if (kind !== GranuleState.Undelegated && kind !== GranuleState.Delegated && !used.has(pa)) {
      throw new Error(`0x${pa.toString(16)} has state ${kind} but is not in use`);
    }
  }
}

function checkTable(
  state: RmmState,
  realm: Realm,
  table: number,
  level: number,
  ipa: number,
  entries: number,
  use: (pa: number, kind: keyof typeof GranuleState, by: string) => void,
): void {
  use(table, 'Rtt', `a table of level ${level}`);
  const { view } = state;
  const offset = state.memory.offsetOf(table);
  const span = entrySpan(level);
  let live = 0;
  for (let index = 0; index < entries; index++) {
    const first = view.getUint32(offset + index * ENTRY_BYTES, true);
    const pa = entryAddress(first, view.getUint32(offset + index * ENTRY_BYTES + 4, true));
    const at = ipa + index * span;
    const kind = entryState(first);
    if (kind === EntryState.Table) {
      live++;
      if (level === LEAF_LEVEL) throw new Error('a leaf is a table');
      checkTable(state, realm, pa, level + 1, at, ENTRIES, use);
    } else if (kind === EntryState.Assigned) {
      live++;
      if (at >= realm.rtt.parTop) throw new Error('protected memory in the unprotected half');
      for (let page = 0; page < span; page += 4096) use(pa + page, 'Data', `data at 0x${(at + page).toString(16)}`);
    } else if (kind === EntryState.AssignedNs && at < realm.rtt.parTop) {
      throw new Error('Normal world memory in the protected half');
    }
  }
  const counted = state.granules.live(state.granules.index(table));
  if (counted !== live) throw new Error(`a table of level ${level} has ${live} live entries, but counts ${counted}`);
}
