import type { DebuggedGuest } from './debugged-guest.ts';
import { systemRegisters } from './registers.ts';

const HELP = `What 'monitor' takes here:
  help                 this text
  registers [NAME]     the system registers of EL1 and EL0, all or those whose names contain NAME
  state                where the guest is: instructions, guest time, Exception level, translation
  physical on|off      whether addresses of memory are intermediate physical ones, or virtual
  reset                goes back to the first instruction; then 'maintenance flush register-cache'
reverse-step, reverse-continue and reset run the guest again from its start, which is exact.
`;

/** What the commands need of the target. */
interface Monitored {
  physicalMemory: boolean;
  /** Resolves when the guest stands at its start. */
  reset(): Promise<string>;
}

/** Carries out `monitor` commands of a debugger. @returns what it is shown */
export function monitorCommand(
  command: string,
  guest: DebuggedGuest,
  thread: number,
  target: Monitored,
): string | Promise<string> {
  const [name = '', argument] = command.split(/\s+/);
  switch (name) {
    case 'registers':
      return registers(guest, thread, argument ?? '');
    case 'state':
      return state(guest, thread, target);
    case 'physical':
      if (argument !== 'on' && argument !== 'off') return "say 'physical on' or 'physical off'\n";
      target.physicalMemory = argument === 'on';
      return `addresses are ${argument === 'on' ? 'intermediate physical' : 'virtual'} ones now\n`;
    case 'reset':
      return target.reset();
    case '':
    case 'help':
      return HELP;
    default:
      return `there is no command '${name}'\n${HELP}`;
  }
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

function registers({ debug }: DebuggedGuest, thread: number, part: string): string {
  const where = debug.vcpus[thread - 1];
  if (where === undefined) return 'the vCPU has not started\n';
  const wanted = part.toLowerCase();
  return systemRegisters(debug, where)
    .filter(([name]) => name.toLowerCase().includes(wanted))
    .map(([name, value]) => `${name.padEnd(18)} ${hex(value)}\n`)
    .join('');
}

function state(guest: DebuggedGuest, thread: number, { physicalMemory }: Monitored): string {
  const { debug, retired } = guest;
  const context = debug.vcpus[thread - 1]?.context;
  if (context === undefined) return 'the vCPU has not started\n';
  const mmu = ((context.sysreg(SCTLR_EL1) ?? 0n) & 1n) === 1n;
  return (
    `${retired} instructions retired, guest time ${debug.cpu.clock.now} ns\n` +
    `PC ${hex(context.pc)} at EL${(context.pstate >>> 2) & 3}, stage 1 ${mmu ? 'on' : 'off'}\n` +
    `the payload is loaded ${hex(BigInt(debug.loadOffset))} above the addresses of its file\n` +
    `addresses of memory are ${physicalMemory ? 'intermediate physical' : 'virtual'} ones\n` +
    (guest.changed ? 'you have changed the guest: there is no way back in time\n' : '')
  );
}

/** As op0<<14 | op1<<11 | CRn<<7 | CRm<<3 | op2. */
const SCTLR_EL1 = 0xc080;
