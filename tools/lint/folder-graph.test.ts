import { describe, expect, it } from 'vitest';

import { folderGraph } from './folder-graph.ts';

const folderOf = (file: string): string | undefined => /^(.*)\//.exec(file)?.[1];

/** `a/1 > b/2`: the first file imports the second. */
const graph = (...imports: string[]) =>
  folderGraph(
    imports.map((line) => {
      const [from = '', to = ''] = line.split(' > ');
      return { from, to };
    }),
    folderOf,
  );

describe('the folders of a house', () => {
  it('are counted once, with one arrow however many files import', () => {
    expect(graph('a/1 > b/1', 'a/2 > b/2', 'b/1 > b/2')).toEqual({ folders: 2, floors: 2, arrows: 1, circles: [] });
  });

  it('stand on as many floors as the longest way down has', () => {
    expect(graph('a/1 > b/1', 'a/1 > c/1', 'b/1 > c/1', 'c/1 > d/1', 'e/1 > d/1')).toMatchObject({
      floors: 4,
      arrows: 5,
    });
  });

  it('are in a circle where they import each other, directly or through others', () => {
    expect(graph('a/1 > b/1', 'b/2 > a/2', 'c/1 > d/1', 'd/2 > e/1', 'e/2 > c/2', 'c/1 > a/1').circles).toEqual([
      ['a', 'b'],
      ['c', 'd', 'e'],
    ]);
  });

  it('leave out files in none', () => {
    expect(graph('a/1 > errors', 'errors > b/1', 'a/1 > c/1')).toMatchObject({ folders: 3, arrows: 1, circles: [] });
  });
});
