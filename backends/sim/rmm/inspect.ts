import { type CpuContext, Permission, type Vcpu } from '../cpu/index.ts';
import { GRANULE_SIZE } from '../machine/index.ts';
import { HashAlgorithm } from './abi/status.ts';
import type { Realm } from './realm/realm.ts';
import { entryRipas } from './realm/rtt-entry.ts';
import { LEAF_LEVEL } from './realm/rtt.ts';
import type { Rec } from './rec/rec.ts';

/** A read-only view of a realm for its inspector. */
export class RealmView {
  readonly #realm: Realm;
  readonly #recs: readonly (Rec | undefined)[];

  /** @param recs by index, with holes for those that are destroyed */
  constructor(realm: Realm, recs: readonly (Rec | undefined)[]) {
    this.#realm = realm;
    this.#recs = recs;
  }

  get ipaWidth(): number {
    return this.#realm.options.root.ipaWidth;
  }
  get hashAlgorithm(): 'sha-256' | 'sha-512' {
    return this.#realm.options.hashAlgorithm === HashAlgorithm.Sha256 ? 'sha-256' : 'sha-512';
  }
  get numAuxPlanes(): number {
    return this.#realm.options.numAuxPlanes;
  }
  /** 64 bytes. */
  get rpv(): Uint8Array {
    return this.#realm.options.rpv.slice();
  }

  /** RIM and REMs, truncated to the size of the hash. */
  measurements(): { rim: Uint8Array; rem: Uint8Array[] } {
    const { rim, rem, hashBytes } = this.#realm.measurements;
    return { rim: rim.slice(0, hashBytes), rem: rem.map((register) => register.slice(0, hashBytes)) };
  }

  /** RIPAS of a protected IPA, a value of `Ripas` in status.ts; undefined for other IPAs. */
  ripas(ipa: number): number | undefined {
    const { rtt } = this.#realm;
    if (!(ipa >= 0 && ipa < rtt.parTop)) return undefined;
    rtt.walk(ipa, LEAF_LEVEL);
    return entryRipas(rtt.word);
  }

  /** Stage 2 permissions of a plane at an IPA: any of `r`, `w`, `x` (execution at EL1); '' if nothing is mapped. */
  permissions(plane: number, ipa: number): string {
    const stage2 = this.#realm.stage2[plane];
    if (stage2 === undefined || !(ipa >= 0)) return '';
    const { offset, permissions } = stage2.translate(ipa);
    if (offset < 0) return '';
    const letters: readonly (readonly [number, string])[] = [
      [Permission.R, 'r'],
      [Permission.W, 'w'],
      [Permission.XEl1, 'x'],
    ];
    return letters.map(([bit, letter]) => ((permissions & bit) !== 0 ? letter : '')).join('');
  }

  /** Offset in linear memory of an IPA by plane 0's mapping, or -1. Valid until the realm runs again. */
  locate(ipa: number): number {
    const offset = this.#realm.stage2[0]?.translate(ipa).offset ?? -1;
    return offset < 0 ? -1 : offset + (ipa % GRANULE_SIZE);
  }

  /** A plane's registers on a REC; undefined before the plane is first used, and if plane 0 is a program. */
  context(recIndex: number, plane: number): CpuContext | undefined {
    return this.#recs[recIndex]?.planes[plane]?.context;
  }

  /** A system register of a plane on a REC that plane 0 may access, in the CPU or kept by the RMM. */
  sysreg(recIndex: number, plane: number, encoding: number): bigint | undefined {
    const state = this.#recs[recIndex]?.planes[plane];
    return state?.context?.sysreg(encoding) ?? state?.shadow.get(encoding);
  }

  /** The processor of a REC, for a debugger. */
  vcpu(recIndex: number): Vcpu | undefined {
    return this.#recs[recIndex]?.vcpu;
  }

  /** The plane that runs when the REC is entered. */
  activePlane(recIndex: number): number {
    return this.#recs[recIndex]?.active ?? 0;
  }

  /** Work of all RECs (`Vcpu.work`). */
  get work(): number {
    let total = 0;
    for (const rec of this.#recs) total += rec?.vcpu.work ?? 0;
    return total;
  }

  /** Effort of all RECs (`Vcpu.effort`). */
  get effort(): number {
    let total = 0;
    for (const rec of this.#recs) total += rec?.vcpu.effort ?? 0;
    return total;
  }

  /** Guest instructions retired by all RECs. */
  get instructions(): number {
    let total = 0;
    for (const rec of this.#recs) total += rec?.vcpu.retired ?? 0;
    return total;
  }
}
