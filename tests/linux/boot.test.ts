import { linux, linuxIsPrepared, petriTest } from 'petri-vm';

petriTest(
  'none',
  'Linux boots, and tells a test what it asks',
  { memory: '256M', requires: ['linux', 'exec'], timeout: 120_000 },
  async ({ launch, skip, expect }) => {
    skip(!linuxIsPrepared(), 'there is no kernel here: petri linux install downloads one');
    const vm = await launch({ payload: linux() });
    expect(await vm.exec('uname -m')).toEqual({ stdout: 'aarch64\n', stderr: '', exitCode: 0 });
    await vm.serial.waitFor('petri: init has started');
    await vm.stop({ timeout: 30_000 });
    expect(await vm.halted).toEqual({ reason: 'power-off' });
  },
);
