import { FileImage, OverlayDisk, VirtioBlock, type VirtioDevice } from '../../machine/index.ts';

/** What a guest shows of its disk: udev has it in /dev/disk/by-id. */
const SERIAL = 'petri';

/**
 * What the disk of a payload adds to a board: a block device in the first slot of virtio-mmio. It has the file open
 * until the board is discarded.
 *
 * @param path of a raw image
 */
export function diskOf({ disk }: { readonly disk?: string }): { readonly virtio?: readonly VirtioDevice[] } {
  if (disk === undefined) return {};
  return { virtio: [new VirtioBlock({ disk: new OverlayDisk(new FileImage(disk)), serial: SERIAL })] };
}
