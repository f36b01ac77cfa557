import { open } from 'node:fs/promises';

/** Bytes that identify a file format. */
interface Magic {
  readonly what: string;
  readonly offset: number;
  readonly bytes: readonly number[];
}

export const formats = {
  /** arch/arm64 booting.rst: magic number of the Image header. */
  arm64Image: { what: 'an arm64 Linux Image', offset: 56, bytes: [0x41, 0x52, 0x4d, 0x64] },
  /** Superblock at 1024, s_magic at 0x38. */
  ext4: { what: 'an ext2/3/4 file system', offset: 1024 + 0x38, bytes: [0x53, 0xef] },
  /** e_machine of a little-endian ELF: EM_AARCH64. */
  aarch64Elf: { what: 'an AArch64 ELF file', offset: 18, bytes: [183, 0] },
} as const satisfies Record<string, Magic>;

/** @throws Error if a file has another format */
export async function expectFormat(path: string, format: Magic): Promise<void> {
  const length = format.bytes.length;
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, format.offset);
    if (bytesRead === length && format.bytes.every((byte, index) => buffer[index] === byte)) return;
  } finally {
    await handle.close();
  }
  throw new Error(`${path} is not ${format.what}`);
}
