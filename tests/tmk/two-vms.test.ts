import { petriTest, tmk, type IsolationType } from 'petri-vm';

const isolationTypes: readonly IsolationType[] = ['cca', 'none'];
for (const isolation of isolationTypes) {
  for (const test of ['recursion', 'sha256_of_abc', 'crc_of_123456789']) {
    petriTest(
      isolation,
      `two VMs of one payload come to the same, one after the other: ${test}`,
      { payload: tmk('selftest'), test, requires: ['instruction-budget'], timeout: 120_000 },
      async ({ vm, launch, expect }) => {
        const other = await launch();
        expect(await vm.halted).toMatchObject({ reason: 'complete', success: true });
        const { instructions } = vm;
        await vm.dispose();
        expect(await other.halted).toMatchObject({ reason: 'complete', success: true });
        expect(other.instructions).toBe(instructions);
      },
    );
  }
}
