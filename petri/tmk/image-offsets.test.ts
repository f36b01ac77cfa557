import { expect, it } from 'vitest';
import { nameImageOffsets } from './image-offsets.ts';

const image = {
  symbolAt: (address: number) => (address < 0x1000 ? { name: 'main', offset: address - 0x100 } : undefined),
};

it('names functions by their offset in the image, if it has symbols', () => {
  expect(nameImageOffsets('SVC #0x7 at 0x200110 (image+0x110), LR 0x9000 (image+0x9000)', image)).toBe(
    'SVC #0x7 at 0x200110 (main+0x10), LR 0x9000 (image+0x9000)',
  );
  expect(nameImageOffsets('no offset: image+110, reimage+0x110, image+0x1234567890abcdef', image)).toBe(
    'no offset: image+110, reimage+0x110, image+0x1234567890abcdef',
  );
});

it('names at most as many offsets as a panic of the runtime has', () => {
  const named = nameImageOffsets('image+0x100 '.repeat(1000), image);
  expect(named.match(/main/g)).toHaveLength(8);
  expect(named.match(/image/g)).toHaveLength(992);
});
