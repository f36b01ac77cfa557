import type { GdbFeature, GdbRegister } from './target.ts';

/** The target description that `qXfer:features:read:target.xml` transfers (GDB manual, Target Descriptions). */
export function targetDescription(architecture: string, features: readonly GdbFeature[]): string {
  let number = 0;
  const describe = ({ name, registers, types = '' }: GdbFeature): string =>
    `<feature name="${name}">${types}${registers.map((register) => line(register, number++)).join('')}</feature>`;
  return (
    '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd">' +
    `<target version="1.0"><architecture>${architecture}</architecture>${features.map(describe).join('')}</target>`
  );
}

function line({ name, bits, type, group }: GdbRegister, number: number): string {
  const optional = (attribute: string, value: string | undefined): string =>
    value === undefined ? '' : ` ${attribute}="${value}"`;
  // What a call of a function in the guest need not put back.
  const kept = group === 'system' ? ' save-restore="no"' : '';
  return `<reg name="${name}" bitsize="${bits}" regnum="${number}"${optional('type', type)}${optional('group', group)}${kept}/>`;
}
