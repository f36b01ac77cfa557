import { hash } from 'node:crypto';

import { GRANULE_SIZE } from '../../machine/index.ts';
import { RealmParams } from '../abi/realm-params.ts';
import { REC_PARAMS_GPRS, RecParams } from '../abi/rec-params.ts';
import { HashAlgorithm } from '../abi/status.ts';

/** Bytes of a measurement register; a shorter hash fills the first ones. */
export const MEASUREMENT_BYTES = 64;
/** Realm Extensible Measurements. */
export const REM_COUNT = 4;

/** Size of measurement descriptors, each of which includes the RIM so far (RMM specification, B4.4; C1.11 to C1.13). */
const DESCRIPTOR_BYTES = 0x100;
const DescriptorType = { data: 0, rec: 1, ripas: 2 } as const;
const Descriptor = { type: 0x00, length: 0x08, rim: 0x10, fields: 0x50, recContent: 0x50, dataContent: 0x60 } as const;

/** Limit of memoised RIMs by (RIM, range, entry size): most realms in tests start the same way. */
const RIPAS_MEMO_LIMIT = 256;
const ripasMemo = new Map<string, Uint8Array>();

/** The measurement registers of one realm (RMM specification, A7.1). */
export class Measurements {
  readonly algorithm: number;
  readonly rim = new Uint8Array(MEASUREMENT_BYTES);
  readonly rem: readonly Uint8Array[] = Array.from({ length: REM_COUNT }, () => new Uint8Array(MEASUREMENT_BYTES));
  readonly #name: string;

  /** @param algorithm a value of HashAlgorithm */
  constructor(algorithm: number) {
    this.algorithm = algorithm;
    this.#name = algorithm === HashAlgorithm.Sha256 ? 'sha256' : 'sha512';
  }

  get hashBytes(): number {
    return this.algorithm === HashAlgorithm.Sha256 ? 32 : 64;
  }

  /** RIM of a new realm. @param params RmiRealmParams: flags, s2sz, SVE, debug, PMU and hash fields are measured */
  initialize(params: Uint8Array): void {
    const measured = new Uint8Array(GRANULE_SIZE);
    measured.set(params.subarray(RealmParams.flags, RealmParams.flags + 8), RealmParams.flags);
    const { s2sz, sveVl, numBps, numWps, pmuNumCtrs, hashAlgorithm } = RealmParams;
    for (const offset of [s2sz, sveVl, numBps, numWps, pmuNumCtrs, hashAlgorithm]) {
      measured.set(params.subarray(offset, offset + 1), offset);
    }
    this.#setRim(measured);
  }

  /** A page from the host. @param content the page, or undefined if its content is not measured */
  extendData(ipa: number, flags: number, content: Uint8Array | undefined): void {
    const { bytes, view } = this.#descriptor(DescriptorType.data);
    view.setBigUint64(Descriptor.fields, BigInt(ipa), true);
    view.setBigUint64(Descriptor.fields + 8, BigInt(flags), true);
    if (content !== undefined) bytes.set(this.#hash(content), Descriptor.dataContent);
    this.#setRim(bytes);
  }

  /** A runnable REC. @param params RmiRecParams: flags, PC and X0 to X7 are measured */
  extendRec(params: Uint8Array): void {
    const measured = new Uint8Array(GRANULE_SIZE);
    measured.set(params.subarray(RecParams.flags, RecParams.flags + 8), RecParams.flags);
    measured.set(params.subarray(RecParams.pc, RecParams.pc + 8), RecParams.pc);
    measured.set(params.subarray(RecParams.gprs, RecParams.gprs + REC_PARAMS_GPRS * 8), RecParams.gprs);
    const { bytes } = this.#descriptor(DescriptorType.rec);
    bytes.set(this.#hash(measured), Descriptor.recContent);
    this.#setRim(bytes);
  }

  /** RIPAS RAM for [base, top), once for each RTT entry. @param span bytes of an entry; divides the range */
  extendRipas(base: number, top: number, span: number): void {
    const key = `${this.#name} ${base} ${top} ${span} ${Buffer.from(this.rim).toString('latin1')}`;
    const known = ripasMemo.get(key);
    if (known !== undefined) {
      this.rim.set(known);
      return;
    }
    const { bytes, view } = this.#descriptor(DescriptorType.ripas);
    for (let at = base; at < top; at += span) {
      bytes.set(this.rim, Descriptor.rim);
      view.setBigUint64(Descriptor.fields, BigInt(at), true);
      view.setBigUint64(Descriptor.fields + 8, BigInt(at + span), true);
      this.#setRim(bytes);
    }
    if (ripasMemo.size >= RIPAS_MEMO_LIMIT) ripasMemo.clear();
    ripasMemo.set(key, this.rim.slice());
  }

  /** RSI_MEASUREMENT_EXTEND: hash of the old value and the new data, at their own lengths. @param index 1 to 4 */
  extendRem(index: number, data: Uint8Array): void {
    const rem = this.rem[index - 1];
    if (rem === undefined) return;
    rem.set(this.#hash(Buffer.concat([rem.subarray(0, this.hashBytes), data])));
  }

  /** Measurement register by index: 0 is the RIM, 1 to 4 are the REMs. */
  register(index: number): Uint8Array | undefined {
    return index === 0 ? this.rim : this.rem[index - 1];
  }

  #descriptor(type: number): { bytes: Uint8Array; view: DataView } {
    const bytes = new Uint8Array(DESCRIPTOR_BYTES);
    const view = new DataView(bytes.buffer);
    view.setUint8(Descriptor.type, type);
    view.setUint32(Descriptor.length, DESCRIPTOR_BYTES, true);
    bytes.set(this.rim, Descriptor.rim);
    return { bytes, view };
  }

  #hash(data: Uint8Array): Uint8Array {
    return hash(this.#name, data, 'buffer');
  }

  /** The hash fills all of the register or its first half; the rest stays zero. */
  #setRim(data: Uint8Array): void {
    this.rim.set(this.#hash(data));
  }
}
