import { petriTest, tmk } from 'petri-vm';

petriTest.tmk('cca', tmk('simple'));
petriTest.tmk('none', tmk('simple'));

for (const name of ['selftest', 'simd', 'exceptions', 'mmu', 'translation', 'panic', 'hello']) {
  petriTest.tmk('cca', tmk(name));
  petriTest.tmk('none', tmk(name));
}

// The digests are of the addresses at which a plain VM has its memory.
petriTest.tmk('none', tmk('tables'));
petriTest.tmk('none', tmk('mmio'));
for (const isolation of ['cca', 'none'] as const) {
  petriTest.tmk(isolation, tmk('garbage'), { requires: ['tmk.rejections'] });
  petriTest.tmk(isolation, tmk('fp-environment'), { requires: ['fp.environment'] });
  petriTest.tmk(isolation, tmk('sp-alignment'), { requires: ['sp.alignment'] });
}
