import { refuseForeignJournal, refuseUnreplayed } from './features.ts';
import { invalid } from './invalid.ts';
import { readSuperblock } from './superblock.ts';
import { toolFailed, type ToolRun } from './tools.ts';
import type { ImageOptions } from './types.ts';
import { IMAGE, Workspace } from './workspace.ts';

/** Exit codes of e2fsck(8), which are bits. */
const CORRECTED = 1;
const UNCORRECTED = 4;

/**
 * Checks that an image is an ext4 file system without errors. Changes nothing.
 *
 * @throws PetriError `image-invalid`, with what e2fsck says; also for one with a journal to replay
 */
export async function checkImage(image: string, options: ImageOptions = {}): Promise<void> {
  const superblock = await readSuperblock(image);
  refuseForeignJournal(image, superblock);
  refuseUnreplayed(image, superblock);
  await Workspace.with(image, options.signal, (workspace) => check(workspace, image));
}

/** As `checkImage`, in a workspace. */
export async function check(workspace: Workspace, image: string): Promise<void> {
  judge(await workspace.run('e2fsck', ['-fn', IMAGE]), 0, image);
}

/** Replays an image's journal and repairs what e2fsck can repair without asking. @throws PetriError `image-invalid` */
export async function repair(workspace: Workspace, image: string): Promise<void> {
  judge(await workspace.run('e2fsck', ['-fp', IMAGE]), CORRECTED, image);
}

function judge({ code, stdout, stderr }: ToolRun, allowed: number, image: string): void {
  if ((code & ~allowed) === 0) return;
  const said = `${stdout}\n${stderr}`;
  if ((code & UNCORRECTED) === 0) throw toolFailed('e2fsck', `exit code ${String(code)}`, said);
  throw invalid(image, `its file system has errors\n    ${said.trim().split('\n').slice(-20).join('\n    ')}`);
}
