// A separate run, to be killed: launches a VM on the machine in PETRI_HOSTS, reports that, and waits forever.
import { load } from '../../../bin/load.mjs';

const { launchVm, resolveVmConfig } = await load('petri/vm/index');
const { tmk } = await load('petri/payload/index');
const { backend } = await load('backends/hardware/index');
const spec = { isolation: 'none', payload: tmk('hello'), config: resolveVmConfig(), machine: 'shared' };
const vm = await launchVm(backend, spec, { directory: process.argv[2], features: ['tmk'] });
await vm.serial.waitFor('ready');
process.stdout.write('running\n');
await vm.halted;
