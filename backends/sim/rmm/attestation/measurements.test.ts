import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { HashAlgorithm, Rsi, RsiStatus } from '../index.ts';
import { plane0, RAM, runningRealm, TestMachine, TestRealm } from '../testing/test-realm.ts';

function rim(realm: TestRealm): string {
  const measurements = realm.machine.rmm.inspect(realm.rd)?.measurements();
  return Buffer.from(measurements?.rim ?? []).toString('hex');
}

/** The realm of veraison's realm measurement calculator: 48 bits, one break- and watchpoint pair. */
function reference(hashAlgorithm: number = HashAlgorithm.Sha256): TestRealm {
  return new TestRealm(new TestMachine(), { ipaWidth: 48, startLevel: 0, tables: 1, numAuxPlanes: 0, hashAlgorithm });
}

describe('the RIM', () => {
  it('equals the values of independent calculators', () => {
    const realm = reference();
    const { machine } = realm;
    expect(rim(realm)).toBe('6739dfb22b75ee1268d08dfa8369f501bc0b066243553f069f560d1fa1172973');

    realm.createTable(0, 1);
    realm.createTable(RAM, 2);
    realm.initRipas(RAM, RAM + 0x20_0000);
    expect(rim(realm)).toBe('25061e2b4070eacd9775a416dacf0596d4f52c274be1c0125ac1b11bcacf7588');

    realm.createTable(RAM, 3);
    const page = machine.granule();
    machine.must('DATA_CREATE', realm.rd, machine.delegated(), RAM, page, 1);
    expect(rim(realm)).toBe('fd1d3975f16d5b5bafaf667d8627d4a41cb5f16ca7d8fa9a53de103cde25d296');
    machine.must('DATA_CREATE', realm.rd, machine.delegated(), RAM + 4096, page, 0);
    expect(rim(realm)).toBe('db3b8264bbba74c0ae18c7d4354c1ebf716acd77c6d99f4c1684fd883d6f1d3b');

    realm.createRec({ pc: 0x8000_0000n, gprs: [0x83e0_0000n] });
    const final = '55f235beaf7422ffcdbea12b22393b891eacd88c5edd0d9630107b710ab7bab6';
    expect(rim(realm)).toBe(final);
    realm.createRec({ runnable: false });
    machine.must('REALM_ACTIVATE', realm.rd);
    expect(rim(realm)).toBe(final);
  });

  it('equals them with SHA-512 too', () => {
    expect(rim(reference(HashAlgorithm.Sha512))).toBe(
      '799e434048fb57eb9d4f0e2a2b98158720377252deab2bdfcd69b5a8f82237f4' +
        '34bd6bb1c75bf160a2d49382f733b3439a3ff769e4ea5dd9a6f72239d44bbbab',
    );
  });

  it('depends on the size of the entries on which RIPAS is set, and is reproducible', () => {
    const make = (level: number) => {
      const realm = new TestRealm(new TestMachine());
      if (level === 3) realm.createTable(RAM, 3);
      realm.initRipas(RAM, RAM + 0x20_0000);
      return rim(realm);
    };
    expect(make(3)).not.toBe(make(2));
    expect(make(3)).toBe(make(3));
    expect(make(2)).toBe(make(2));
  });

  it('does not depend on planes, VMIDs and physical addresses', () => {
    const make = (numAuxPlanes: number, vmid: number) => rim(new TestRealm(new TestMachine(), { numAuxPlanes, vmid }));
    expect(make(0, 1)).toBe(make(3, 100));
  });
});

describe('RSI_MEASUREMENT_EXTEND and _READ', () => {
  it('extend a REM by exactly the given data', () => {
    const words = [0x05a9_bf22_3fed_f80an, 0x9d0d_a5f7_3f5c_191an, 0x665b_f4a0_a4a3_e608n, 0xf2f9_e7d5_ff23_959cn];
    let read: bigint[] = [];
    const realm = runningRealm(
      plane0(function* (kit) {
        yield* kit.call(Rsi.MEASUREMENT_EXTEND, 2, 32, ...words);
        yield* kit.call(Rsi.MEASUREMENT_READ, 2);
        read = [...kit.x.slice(1, 9)];
      }),
    );
    realm.enter();
    const expected = '6333cbce9e85c645936763c067eb8a28588cd9b633c6bb0c21e3767b0366e784';
    const rem = realm.machine.rmm.inspect(realm.rd)?.measurements().rem[1];
    expect(Buffer.from(rem ?? []).toString('hex')).toBe(expected);
    expect(Buffer.from(new BigUint64Array(read).buffer).toString('hex')).toBe(expected.padEnd(128, '0'));
  });

  it('take data of any length up to 64 bytes', () => {
    const realm = runningRealm(
      plane0(function* (kit) {
        yield* kit.call(Rsi.MEASUREMENT_EXTEND, 1, 3, 0xffff_ff63_6261n);
        yield* kit.call(Rsi.MEASUREMENT_EXTEND, 4, 0);
      }),
    );
    realm.enter();
    const rem = realm.machine.rmm.inspect(realm.rd)?.measurements().rem ?? [];
    const sha = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
    expect(Buffer.from(rem[0] ?? []).toString('hex')).toBe(sha(Buffer.concat([Buffer.alloc(32), Buffer.from('abc')])));
    expect(Buffer.from(rem[3] ?? []).toString('hex')).toBe(sha(Buffer.alloc(32)));
  });

  it.each([
    ['extending the RIM', Rsi.MEASUREMENT_EXTEND, [0, 32]],
    ['extending a sixth register', Rsi.MEASUREMENT_EXTEND, [5, 32]],
    ['too much data', Rsi.MEASUREMENT_EXTEND, [1, 65]],
    ['reading a sixth register', Rsi.MEASUREMENT_READ, [5]],
    ['reading none', Rsi.MEASUREMENT_READ, [2n ** 64n - 1n]],
  ] as const)('refuse %s', (_, fid, args) => {
    let status = -1;
    const realm = runningRealm(
      plane0(function* (kit) {
        status = yield* kit.call(fid, ...args);
      }),
    );
    realm.enter();
    expect(status).toBe(RsiStatus.ErrorInput);
  });
});
