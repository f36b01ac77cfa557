import { load } from '../../../../bin/load.mjs';

await load('tests/stand-ins/fvp/tmk-vmm/worker');
