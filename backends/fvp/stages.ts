import type { BootStage, CrashSignature } from '../../petri/boot/index.ts';
import { framePattern } from '../../petri/cca/agent-protocol.ts';
import { stageBudgets, type StageName } from './budgets.ts';

/** The model's own output, and its four UARTs by number: who prints there in a stack of three worlds. */
export const MODEL_CONSOLE = 'model';
export const uartConsoles = ['host', 'tf-a', 'secure', 'rmm'] as const;

export type UartConsole = (typeof uartConsoles)[number];

/** What is put on the model's console when all of its UARTs are connected. */
export const CONNECTED = 'every UART is connected';

function stage(name: StageName, console: string, marker: BootStage['marker']): BootStage {
  return { name, console, marker, deadline: stageBudgets[name] };
}

/**
 * From the start of the model to our agent on the host. Each stage has several signs: a kernel message may cut any of them in two.
 *
 * That the RMM is up is told by BL31 on the host's UART, or by what comes after it: an RMM built with LOG_LEVEL=10 says nothing of
 * its own, and a release build of TF-A says nothing of it.
 */
export function modelStages(nonce: string): readonly BootStage[] {
  return [
    stage('model', MODEL_CONSOLE, new RegExp(`^\\[petri: ${CONNECTED}\\]`)),
    stage('tf-a', 'host', /Booting Trusted Firmware|(?:NOTICE|INFO): +BL\d+: /),
    stage('rmm', 'host', /RMM init end|Preparing for EL3 exit to normal world|EFI stub: Booting Linux/),
    stage(
      'host kernel',
      'host',
      /Booting Linux on physical CPU|Linux version \d|All CPU\(s\) started at EL2|RMI ABI version|Run \S{1,64} as init process/,
    ),
    stage('host agent', 'host', framePattern(nonce, 'host-ready')),
  ];
}

export interface RealmNonces {
  readonly realm: string;
  readonly shell: string;
  readonly agent: string;
}

/**
 * From our command on the host to our agent in plane 0: lkvm is started, the shell in plane 0 answers, our agent has found tmk_vmm.
 * Whoever waits for them asks the shell after the first, and starts the agent after the second.
 */
export function realmStages({ realm, shell, agent }: RealmNonces): readonly BootStage[] {
  return [
    stage('realm', 'host', framePattern(realm, 'realm-begin')),
    stage('plane 0', 'host', framePattern(shell, 'shell')),
    stage('tmk_vmm', 'host', framePattern(agent, 'plane0-ready')),
  ];
}

/** What each world prints when it cannot go on. */
export const crashSignatures: readonly CrashSignature[] = [
  {
    console: MODEL_CONSOLE,
    pattern: /(?:Error|ERROR|FATAL)(?:: | error).{0,80}(?:parameter|open|load|licen[cs]e|file)/,
    meaning: 'the model refused to start',
  },
  {
    console: MODEL_CONSOLE,
    pattern: /licen[cs]e.{0,60}(?:fail|expired|not found|denied)/i,
    meaning: 'the model has no licence',
  },
  {
    console: 'host',
    pattern: /Kernel panic - not syncing/,
    meaning: 'a Linux kernel panicked, on the host or in plane 0',
  },
  {
    console: 'host',
    pattern: /^(?:ERROR:|PANIC:|ASSERT:).{0,80}(?:panic|Failed to load|assert)/i,
    meaning: 'TF-A stopped',
  },
  { console: 'host', pattern: /PANIC at PC ?:|Unhandled Exception (?:in|from) EL3/i, meaning: 'TF-A panicked' },
  { console: 'host', pattern: /Synchronous Exception at 0x|ASSERT(?:_EFI_ERROR)? ?[[(]\w/, meaning: 'EDK2 stopped' },
  { console: 'tf-a', pattern: /PANIC at PC ?:|Unhandled Exception|BACKTRACE: START/i, meaning: 'TF-A panicked' },
  {
    console: 'rmm',
    pattern: /RMM (?:panic|fatal)|assertion .{0,200}failed|Unexpected (?:exception|sync)|Panic\b|panic at/i,
    meaning: 'the RMM panicked',
  },
];

/** While a payload runs, the words of a guest are on the host's UART too: there they are a suspicion, and elsewhere the end. */
export function crashOn(console: string, line: string): CrashSignature | undefined {
  return crashSignatures.find((signature) => signature.console === console && signature.pattern.test(line));
}
