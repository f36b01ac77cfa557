import { linux, linuxIsPrepared, petriTest } from 'petri-vm';

petriTest(
  'none',
  'Linux goes on from a snapshot as often as a test wants, also after its end',
  { memory: '256M', requires: ['linux', 'exec', 'snapshot'], timeout: 120_000 },
  async ({ launch, skip, expect }) => {
    skip(!linuxIsPrepared(), 'there is no kernel here: petri linux install downloads one');
    const vm = await launch({ payload: linux() });
    await vm.exec('echo one > /tmp/file');
    await vm.serial.waitFor('petri: init has started');
    const snapshot = await vm.snapshot();
    const before = vm.instructions;
    const change = async (): Promise<unknown> => {
      const result = await vm.exec('cat /tmp/file; echo two > /tmp/file; cat /proc/uptime');
      // The count is exact at points where input arrives, and a snapshot is taken at one.
      await vm.snapshot();
      return { ...result, instructions: vm.instructions };
    };
    const first = await change();
    for (let n = 0; n < 3; n++) {
      await vm.restore(snapshot);
      expect(vm.instructions).toBe(before);
      expect(await change()).toEqual(first);
    }
    await vm.stop({ timeout: 30_000 });
    expect(await vm.halted).toEqual({ reason: 'power-off' });
    await vm.restore(snapshot);
    expect(await change()).toEqual(first);
    const other = await launch({ payload: linux() });
    await other.restore(snapshot);
    expect((await other.exec('cat /tmp/file')).stdout).toBe('one\n');
    expect((await vm.exec('cat /tmp/file')).stdout).toBe('two\n');
    await other.serial.waitFor('petri: init has started', { from: 'boot' });
  },
);
