import {
  crashesOn,
  edk2Crashes,
  initCrashes,
  linuxCrashes,
  rmmCrashes,
  rustCrashes,
  tfaCrashes,
  type BootStage,
  type CrashSignature,
} from '../../boot/index.ts';
import { framePattern } from '../index.ts';
import { HOST_CONSOLE, type RealmBudgets } from './host-platform.ts';

/**
 * What firmware and Linux print on the host's console as they come up. Each has several signs: a kernel message may cut
 * any of them in two.
 *
 * That the RMM is up is reported by what is printed only with it: by BL31, by the RMM itself, or by the host's KVM,
 * which has asked it for its version. An RMM built with LOG_LEVEL=10 says nothing of its own, and a release build of
 * TF-A says nothing of it; that EL3 is left for the normal world, and what comes after, both print without an RMM too.
 */
export const bootSigns = {
  'tf-a': /Booting Trusted Firmware|(?:NOTICE|INFO): +BL\d+: /,
  rmm: /RMM init end|Booting RMM v|RMI ABI version \d/,
  'host kernel':
    /Booting Linux on physical CPU|Linux version \d|All CPU\(s\) started at EL2|RMI ABI version|Run \S{1,64} as init process/,
} as const;

/** What the worlds that share the host's console print there when they cannot go on: firmware, the host and plane 0. */
export const hostCrashes: readonly CrashSignature[] = crashesOn(
  HOST_CONSOLE,
  tfaCrashes,
  rmmCrashes,
  edk2Crashes,
  linuxCrashes,
  initCrashes,
  rustCrashes,
);

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
 * From our command on the host to our agent in plane 0: lkvm is started, the shell in plane 0 answers, our agent has
 * found tmk_vmm. Whoever waits for them asks the shell after the first, and starts the agent after the second.
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

/**
 * While a payload runs, the words of a guest are on the host's console too: there they are a suspicion, and elsewhere
 * the end.
 */
export function crashOn(crashes: readonly CrashSignature[], console: string, line: string): CrashSignature | undefined {
  return crashes.find((signature) => signature.console === console && signature.pattern.test(line));
}
