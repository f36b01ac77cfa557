import { petriTest, tmk } from 'petri-vm';

// The registers of the GIC begin at 128 MiB.
petriTest.tmk('none', tmk('interrupts'), { memory: '64M', requires: ['interrupts'] });
