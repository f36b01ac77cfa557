/** One file imports another; paths from the root of the repository. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

/** The house as its folders see each other. */
export interface FolderGraph {
  readonly folders: number;
  /** The longest way down: of two folders of which one imports the other, they are on two floors. */
  readonly floors: number;
  /** Pairs of folders of which one imports the other, by however many files. */
  readonly arrows: number;
  /** Folders that import each other, directly or through others. */
  readonly circles: readonly (readonly string[])[];
}

/**
 * What the imports of files say about their folders.
 *
 * @param folderOf the folder of a file; a file in none is left out
 */
export function folderGraph(imports: readonly Import[], folderOf: (file: string) => string | undefined): FolderGraph {
  const below = new Map<string, Set<string>>();
  const entry = (folder: string): Set<string> => {
    const known = below.get(folder) ?? new Set();
    below.set(folder, known);
    return known;
  };
  for (const { from, to } of imports) {
    const [upper, lower] = [folderOf(from), folderOf(to)];
    for (const folder of [upper, lower]) if (folder !== undefined) entry(folder);
    if (upper !== undefined && lower !== undefined && upper !== lower) entry(upper).add(lower);
  }
  return { folders: below.size, floors: floors(below), arrows: arrows(below), circles: circles(below) };
}

type Below = ReadonlyMap<string, ReadonlySet<string>>;

function arrows(below: Below): number {
  return [...below.values()].reduce((sum, folders) => sum + folders.size, 0);
}

function circles(below: Below): string[][] {
  const reached = new Map([...below.keys()].map((folder) => [folder, reach(below, folder)]));
  const groups = new Map<string, string[]>();
  for (const [folder, lower] of reached) {
    const group = [...lower].filter((other) => reached.get(other)?.has(folder)).sort();
    if (group.length > 0) groups.set(group.join(' '), group);
  }
  return [...groups.values()];
}

/** What is below a folder; the folder itself where it is in a circle. */
function reach(below: Below, folder: string): Set<string> {
  const found = new Set<string>();
  const left = [folder];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    for (const lower of below.get(next) ?? []) {
      if (found.has(lower)) continue;
      found.add(lower);
      left.push(lower);
    }
  }
  return found;
}

/** Counted from below; of a circle, one arrow is left out. */
function floors(below: Below): number {
  const known = new Map<string, number>();
  const floorOf = (folder: string): number => {
    const floor = known.get(folder);
    if (floor !== undefined) return floor;
    known.set(folder, 1);
    const lower = [...(below.get(folder) ?? [])].map(floorOf);
    known.set(folder, 1 + Math.max(0, ...lower));
    return known.get(folder) ?? 1;
  };
  return Math.max(0, ...[...below.keys()].map(floorOf));
}
