import { invalid } from './invalid.ts';

/** The three words of feature bits in a superblock. */
export interface FeatureWords {
  readonly compat: number;
  readonly incompat: number;
  readonly readOnlyCompat: number;
}

/** By bit, the names that mke2fs(8) and tune2fs(8) have (Linux, `fs/ext4/ext4.h`; e2fsprogs, `lib/e2p/feature.c`). */
const names: Readonly<Record<keyof FeatureWords, readonly (string | undefined)[]>> = {
  compat: [
    ...['dir_prealloc', 'imagic_inodes', 'has_journal', 'ext_attr', 'resize_inode', 'dir_index', 'lazy_bg'],
    ...['snapshot_bitmap', 'exclude_bitmap', 'sparse_super2', 'fast_commit', 'stable_inodes', 'orphan_file'],
  ],
  incompat: [
    ...['compression', 'filetype', 'needs_recovery', 'journal_dev', 'meta_bg', undefined, 'extent', '64bit', 'mmp'],
    ...['flex_bg', 'ea_inode', undefined, 'dirdata', 'metadata_csum_seed', 'large_dir', 'inline_data', 'encrypt'],
    'casefold',
  ],
  readOnlyCompat: [
    ...['sparse_super', 'large_file', 'btree_dir', 'huge_file', 'uninit_bg', 'dir_nlink', 'extra_isize'],
    ...['has_snapshot', 'quota', 'bigalloc', 'metadata_csum', 'replica', 'read-only', 'project', 'shared_blocks'],
    ...['verity', 'orphan_present'],
  ],
};

/** What e2fsprogs has a name for and cannot work with. */
const unsupported = new Set([
  ...['lazy_bg', 'snapshot_bitmap', 'exclude_bitmap', 'compression', 'dirdata', 'btree_dir', 'has_snapshot', 'replica'],
]);

/** How e2fsprogs calls a bit that has no name: `FEATURE_I11`. */
const letters: Readonly<Record<keyof FeatureWords, string>> = { compat: 'C', incompat: 'I', readOnlyCompat: 'R' };

/**
 * The names of the features of an image.
 *
 * @throws PetriError `image-invalid` for a feature that nothing here can read
 */
export function readFeatures(image: string, words: FeatureWords): ReadonlySet<string> {
  const features = new Set<string>();
  const foreign: string[] = [];
  for (const word of ['compat', 'incompat', 'readOnlyCompat'] as const) {
    for (let bit = 0; bit < 32; bit += 1) {
      if (((words[word] >>> bit) & 1) === 0) continue;
      const name = names[word][bit];
      if (name === undefined || unsupported.has(name)) foreign.push(name ?? `FEATURE_${letters[word]}${String(bit)}`);
      else features.add(name);
    }
  }
  if (features.has('journal_dev')) {
    throw invalid(image, 'it is the journal of another file system (journal_dev)', 'give the image of the file system');
  }
  if (foreign.length > 0) {
    throw invalid(
      image,
      `its file system has features that cannot be handled here: ${foreign.join(', ')}`,
      'make it with the features that mke2fs gives it by itself: mke2fs -t ext4',
    );
  }
  return features;
}

/** The fields of a superblock that the checks below need. */
export interface FeatureOwner {
  readonly features: ReadonlySet<string>;
  /** Whether the journal, if there is one, is in the image. */
  readonly journalInside: boolean;
}

/** @throws PetriError `image-invalid` for an image that must not or cannot be changed */
export function refuseChanges(image: string, superblock: FeatureOwner): void {
  refuseForeignJournal(image, superblock);
  const { features } = superblock;
  if (features.has('shared_blocks')) {
    throw invalid(
      image,
      'files in it share their blocks (shared_blocks), so that nothing in it can be changed',
      'give each file blocks of its own in a copy: e2fsck -fp -E unshare_blocks IMAGE',
    );
  }
  if (features.has('read-only')) {
    throw invalid(image, 'it is marked as read-only', 'take the mark off a copy: tune2fs -O ^read-only IMAGE');
  }
}

/** @throws PetriError `image-invalid` for an image whose files are out of date until its journal is replayed */
export function refuseUnreplayed(image: string, { features }: FeatureOwner): void {
  if (!features.has('needs_recovery')) return;
  throw invalid(
    image,
    'its journal holds changes that are not in its files yet (needs_recovery)',
    'replay it, in a copy if the image is not to change: e2fsck -fp IMAGE',
  );
}

/**
 * @throws PetriError `image-invalid` for an image whose journal is on another device: e2fsck does nothing without it
 */
export function refuseForeignJournal(image: string, { features, journalInside }: FeatureOwner): void {
  if (!features.has('has_journal') || journalInside) return;
  throw invalid(
    image,
    'its journal is on another device',
    'unmount it cleanly, and give it a journal of its own: tune2fs -O ^has_journal IMAGE && tune2fs -j IMAGE',
  );
}

/** resize2fs 1.47 warns that it may damage these, and does: blocks of files and of backups replace each other. */
const notGrown = ['bigalloc', 'sparse_super2'];

/** @throws PetriError `image-invalid` for an image that resize2fs cannot grow without damage */
export function refuseGrowth(image: string, { features }: FeatureOwner, bytes: number): void {
  const feature = notGrown.find((name) => features.has(name));
  if (feature === undefined) return;
  throw invalid(
    image,
    `it would have to grow by ${bytes.toLocaleString('en')} bytes, which resize2fs does not do safely with ${feature}`,
    `make it larger from the start, or without this feature: mke2fs -O ^${feature}`,
  );
}
