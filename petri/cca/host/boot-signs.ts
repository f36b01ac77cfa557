import type { BootStage, CrashSignature } from '../../boot/index.ts';
import { framePattern } from '../agent-protocol.ts';
import { HOST_CONSOLE, type RealmBudgets } from './host-platform.ts';

/**
 * What firmware and Linux print on the host's console as they come up. Each has several signs: a kernel message may cut any of them in
 * two.
 *
 * That the RMM is up is told by BL31, or by what comes after it: an RMM built with LOG_LEVEL=10 says nothing of its own, and a release
 * build of TF-A says nothing of it.
 */
export const bootSigns = {
  'tf-a': /Booting Trusted Firmware|(?:NOTICE|INFO): +BL\d+: /,
  rmm: /RMM init end|Preparing for EL3 exit to normal world|EFI stub: Booting Linux/,
  'host kernel':
    /Booting Linux on physical CPU|Linux version \d|All CPU\(s\) started at EL2|RMI ABI version|Run \S{1,64} as init process/,
} as const;

/** What the worlds that share the host's console print there when they cannot go on. */
export const hostCrashes: readonly CrashSignature[] = [
  {
    console: HOST_CONSOLE,
    pattern: /Kernel panic - not syncing/,
    meaning: 'a Linux kernel panicked, on the host or in plane 0',
  },
  {
    console: HOST_CONSOLE,
    pattern: /^(?:ERROR:|PANIC:|ASSERT:).{0,80}(?:panic|Failed to load|assert)/i,
    meaning: 'TF-A stopped',
  },
  { console: HOST_CONSOLE, pattern: /PANIC at PC ?:|Unhandled Exception (?:in|from) EL3/i, meaning: 'TF-A panicked' },
  {
    console: HOST_CONSOLE,
    pattern: /Synchronous Exception at 0x|ASSERT(?:_EFI_ERROR)? ?[[(]\w/,
    meaning: 'EDK2 stopped',
  },
];

/** What TF-A prints on a console of its own when it cannot go on. */
export const firmwareCrash = /PANIC at PC ?:|Unhandled Exception|BACKTRACE: START/i;

/** A stage that is over when our agent on the host has come up. */
export function hostAgentStage(nonce: string, deadline: number): BootStage {
  return { name: 'host agent', console: HOST_CONSOLE, marker: framePattern(nonce, 'host-ready'), deadline };
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
export function realmStages({ realm, shell, agent }: RealmNonces, budgets: RealmBudgets): readonly BootStage[] {
  const stage = (name: keyof RealmBudgets, nonce: string, verb: string): BootStage => ({
    name,
    console: HOST_CONSOLE,
    marker: framePattern(nonce, verb),
    deadline: budgets[name],
  });
  return [
    stage('realm', realm, 'realm-begin'),
    stage('plane 0', shell, 'shell'),
    stage('tmk_vmm', agent, 'plane0-ready'),
  ];
}

/** While a payload runs, the words of a guest are on the host's console too: there they are a suspicion, and elsewhere the end. */
export function crashOn(crashes: readonly CrashSignature[], console: string, line: string): CrashSignature | undefined {
  return crashes.find((signature) => signature.console === console && signature.pattern.test(line));
}
