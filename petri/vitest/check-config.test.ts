import { expect, it } from 'vitest';
import { definePetriConfig } from './config.ts';

it.each<[object, RegExp]>([
  [{ backnd: 'sim' }, /^definePetriConfig has no option 'backnd', did you mean 'backend'\?/],
  [{ isolations: ['cca'] }, /did you mean 'isolation'\?/],
  [{ isolation: ['ccaa'] }, /^isolation of definePetriConfig is \[ 'ccaa' \], did you mean 'cca'\?/],
  [{ isolation: 'cca' }, /expected a list/],
  [{ backend: ['sim'] }, /^backend of definePetriConfig is \[ 'sim' \]/],
  [{ backends: { mine: './mine.ts' } }, /expected an object of functions/],
])('a configuration is rejected: %j', (config, message) => {
  expect(() => definePetriConfig(config)).toThrow(message);
});

it('ignores options of vitest and its plugins', () => {
  expect(definePetriConfig({ base: '/', test: {}, ...{ ownPlugin: true } })).toMatchObject({
    base: '/',
    ownPlugin: true,
  });
});
