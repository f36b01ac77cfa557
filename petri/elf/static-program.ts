import { closeSync, openSync, readSync } from 'node:fs';

import { PetriError } from '../errors.ts';

/** Of an ELF header and a program header (ELF for the Arm 64-bit Architecture; System V ABI, chapters 4 and 5). */
const EM_AARCH64 = 183;
const PT_INTERP = 3;

/** @throws PetriError `image-invalid` where a file is no static program for AArch64 Linux */
export function checkStaticProgram(path: string): void {
  const head = headOf(path, 4096);
  const header = { magic: head.toString('latin1', 0, 5), machine: head.readUInt16LE(18) };
  // 64-bit, for AArch64 (ELF for the Arm 64-bit Architecture, e_machine).
  const isProgram = header.magic === '\x7fELF\x02' && header.machine === EM_AARCH64;
  if (isProgram && !namesInterpreter(head)) return;
  throw new PetriError(`${path} is no ${isProgram ? 'static ' : ''}program for AArch64`, {
    code: 'image-invalid',
    step: 'payload',
    remedy: 'give a busybox that is linked statically, such as that of the package busybox-static for arm64',
  });
}

/** Whether an ELF file has a program header of type PT_INTERP: it is linked dynamically. */
function namesInterpreter(head: Buffer): boolean {
  const [offset, size, count] = [Number(head.readBigUInt64LE(32)), head.readUInt16LE(54), head.readUInt16LE(56)];
  for (let index = 0; index < count; index++) {
    const at = offset + index * size;
    if (at + 4 > head.length) return false;
    if (head.readUInt32LE(at) === PT_INTERP) return true;
  }
  return false;
}

/** The first bytes of a file, with zeroes behind its end. */
function headOf(path: string, length: number): Buffer {
  const head = Buffer.alloc(length);
  const file = openSync(path, 'r');
  try {
    readSync(file, head, 0, head.length, 0);
    return head;
  } finally {
    closeSync(file);
  }
}
