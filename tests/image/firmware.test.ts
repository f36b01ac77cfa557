import { existsSync } from 'node:fs';
import { image, petriTest } from 'petri-vm';

const UBOOT = '/usr/lib/u-boot/qemu_arm64/u-boot.bin';
const options = { memory: '256M', requires: ['image', 'serial.write'], timeout: 900_000 } as const;

petriTest('none', 'U-Boot comes to its prompt and powers off', options, async ({ launch, skip, expect }) => {
  skip(!existsSync(UBOOT), `there is no ${UBOOT}: it is in Debian's u-boot-qemu`);
  const vm = await launch({ payload: image({ file: UBOOT, flash: true }) });
  await vm.serial.waitFor('Hit any key to stop autoboot');
  await vm.serial.write(' ');
  await vm.serial.waitFor('=> ');
  await vm.serial.write('fdt addr $fdtcontroladdr; fdt get value m / model; printenv m\r');
  await vm.serial.waitFor('m=linux,dummy-virt');
  await vm.serial.write('poweroff\r');
  expect(await vm.halted).toEqual({ reason: 'power-off' });
});
