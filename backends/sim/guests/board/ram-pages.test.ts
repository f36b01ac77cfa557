import { expect, it } from 'vitest';

import { PAGE } from './memory-image.ts';
import { RamPages } from './ram-pages.ts';

const OFFSET = 65_536;
const PAGES = 64;

/** RAM that says which pages were put back. */
function ram(): {
  u8: Uint8Array;
  offset: number;
  bytes: number;
  wrote(offset: number, bytes: number): void;
  back: number[];
} {
  const back: number[] = [];
  const u8 = new Uint8Array(OFFSET + PAGES * PAGE);
  return { u8, offset: OFFSET, bytes: PAGES * PAGE, wrote: (at) => back.push((at - OFFSET) / PAGE), back };
}

function write(place: ReturnType<typeof ram>, pages: RamPages | undefined, page: number, value: number): void {
  pages?.use(page * PAGE, 1);
  place.u8[OFFSET + page * PAGE] = value;
}

function read(place: ReturnType<typeof ram>, pages: RamPages, page: number): number {
  pages.use(page * PAGE, 1);
  return place.u8[OFFSET + page * PAGE] ?? -1;
}

it('puts back the pages that were changed, and no others', () => {
  const place = ram();
  write(place, undefined, 3, 1);
  write(place, undefined, 7, 2);
  const pages = new RamPages(place, [{ offset: OFFSET, bytes: 65_536 }]);
  const image = pages.save();
  for (let n = 0; n < 100; n += 1) {
    write(place, pages, 3, 100 + n);
    write(place, pages, 20, 1);
    // Used, and not changed.
    write(place, pages, 7, 2);
    place.back.length = 0;
    pages.restore(image);
    expect(place.back).toEqual([3, 20]);
  }
  expect([3, 7, 20].map((page) => read(place, pages, page))).toEqual([1, 2, 0]);
});

it('keeps an image as it was, and one made after it has only what differs', () => {
  const place = ram();
  const pages = new RamPages(place, []);
  write(place, pages, 1, 1);
  const first = pages.save();
  write(place, pages, 1, 2);
  write(place, pages, 2, 2);
  const second = pages.save();
  write(place, pages, 2, 0);
  const third = pages.save();
  expect([first, second, third].map((image) => [1, 2].map((page) => image.page(page)?.[0]))).toEqual([
    [1, undefined],
    [2, 2],
    [2, undefined],
  ]);
  expect(third.shares(1, second)).toBe(true);
  expect(third.shares(2, second)).toBe(false);
  place.back.length = 0;
  pages.restore(first);
  expect(place.back).toEqual([1]);
  pages.restore(second);
  expect([1, 2].map((page) => read(place, pages, page))).toEqual([2, 2]);
});

it('fills the pages of another machine when they are used, and only those', () => {
  const from = ram();
  const saved = new RamPages(from, []);
  for (let page = 0; page < PAGES; page += 1) write(from, saved, page, page);
  const image = saved.save();
  const place = ram();
  const pages = new RamPages(place, []);
  pages.restore(image);
  expect(read(place, pages, 5)).toBe(5);
  expect(place.u8.filter((value) => value !== 0)).toEqual(Uint8Array.of(5));
  write(place, pages, 6, 99);
  // What was never used there is in what is saved there.
  expect([4, 5, 6].map((page) => pages.save().page(page)?.[0])).toEqual([4, 5, 99]);
  pages.use(30 * PAGE - 1, 2);
  expect([29, 30, 31].map((page) => place.u8[OFFSET + page * PAGE])).toEqual([29, 30, 0]);
});
