import { FIP_ENTRY, FIP_HEADER, FIP_MAGIC, fipImages, type FipImage } from '../fip.ts';

/**
 * A firmware image package as fiptool writes it: header, table of contents, an entry of zeros with the length, images.
 */
export function writeFip(images: Readonly<Partial<Record<FipImage, Buffer>>>): Buffer {
  const all = Object.entries(images) as [FipImage, Buffer][];
  const header = Buffer.alloc(FIP_HEADER);
  header.writeUInt32LE(FIP_MAGIC, 0);
  header.writeUInt32LE(0x12345678, 4);
  let offset = FIP_HEADER + FIP_ENTRY * (all.length + 1);
  const entry = (uuid: string, size: number): Buffer => {
    const bytes = Buffer.alloc(FIP_ENTRY);
    Buffer.from(uuid, 'hex').copy(bytes);
    bytes.writeBigUInt64LE(BigInt(offset), 16);
    bytes.writeBigUInt64LE(BigInt(size), 24);
    offset += size;
    return bytes;
  };
  const table = all.map(([name, content]) => entry(fipImages[name], content.length));
  return Buffer.concat([header, ...table, entry('0'.repeat(32), 0), ...all.map(([, content]) => content)]);
}

const octal = (hex: string): string =>
  [...Buffer.from(hex, 'hex')].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');

/** The same as a program for `sh`, for test builds: `sh fip.sh IMAGE=FILE... > fip.bin`. */
export const fipScript = `
le64() {
  n=$1
  for i in 1 2 3 4 5 6 7 8; do
    printf "\\\\$(printf %03o $((n & 255)))"
    n=$((n >> 8))
  done
}
printf '\\001\\000\\144\\252'; printf '\\170\\126\\064\\022'; le64 0
offset=$((${String(FIP_HEADER)} + ${String(FIP_ENTRY)} * ($# + 1)))
for image; do
  case $image in
${Object.entries(fipImages)
  .map(([name, uuid]) => `  ${name}=*) printf '${octal(uuid)}' ;;`)
  .join('\n')}
  *) exit 1 ;;
  esac
  size=$(wc -c < "\${image#*=}")
  le64 "$offset"; le64 "$size"; le64 0
  offset=$((offset + size))
done
le64 0; le64 0; le64 "$offset"; le64 0; le64 0
for image; do cat "\${image#*=}"; done
`;
