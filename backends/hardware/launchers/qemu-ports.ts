import { optionValue } from '../../../petri/kit/qemu/index.ts';
import { QMP_PORT } from '../guests/qemu-control.ts';

/** The value of `-chardev` for a port of the launch, with its id. QEMU opens PORT.in and PORT.out (qemu(1), `pipe`). */
export function portChardev(port: string, folder: string): string {
  return `pipe,id=${port},path=${optionValue(folder)}/${port}`;
}

export function qmpArguments(folder: string): string[] {
  return ['-chardev', portChardev(QMP_PORT, folder), '-mon', `chardev=${QMP_PORT},mode=control`];
}
