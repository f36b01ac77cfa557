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
 * What firmware and Linux print on the host's console while they boot. Each stage has several markers, since a kernel
 * message may split any of them.
 *
 * The RMM is recognised by text that is printed only if it runs: by BL31, by the RMM itself, or by the host's KVM,
 * which has queried its version. An RMM built with LOG_LEVEL=10 prints nothing, and a release build of TF-A does not
 * report it; the message about leaving EL3 for the Normal world, and all later ones, are also printed without an RMM.
 */
export const bootSigns = {
  'tf-a': /Booting Trusted Firmware|(?:NOTICE|INFO): +BL\d+: /,
  rmm: /RMM init end|Booting RMM v|RMI ABI version \d/,
  'host kernel':
    /Booting Linux on physical CPU|Linux version \d|All CPU\(s\) started at EL2|RMI ABI version|Run \S{1,64} as init process/,
} as const;

/** Crashes of the worlds that share the host's console: firmware, the host and plane 0. */
export const hostCrashes: readonly CrashSignature[] = crashesOn(
  HOST_CONSOLE,
  tfaCrashes,
  rmmCrashes,
  edk2Crashes,
  linuxCrashes,
  initCrashes,
  rustCrashes,
);

/** A stage that ends when our agent on the host has started. */
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
 * found tmk_vmm. The caller queries the shell after the first stage, and starts the agent after the second.
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
 * The signature that a line matches. While a payload runs, its output is on the host's console too: there a match is a
 * suspicion, on other consoles it is a crash.
 */
export function crashOn(crashes: readonly CrashSignature[], console: string, line: string): CrashSignature | undefined {
  return crashes.find((signature) => signature.console === console && signature.pattern.test(line));
}
