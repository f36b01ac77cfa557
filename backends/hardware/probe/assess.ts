import { type Missing, type Feature, isIsolationType, type IsolationType } from '../../../petri/contract/index.ts';
import type { HostConfig, LauncherConfig } from '../hosts/schema.ts';
import { needsOf, qemuProgram, type HostFacts } from './host-facts.ts';

/** Features of a host for each isolation type in its hosts file, or what is missing. */
export type Assessment = ReadonlyMap<
  IsolationType,
  { readonly features: readonly Feature[] } | { readonly missing: Missing }
>;

export function assess(config: HostConfig, facts: HostFacts): Assessment {
  return new Map(
    Object.entries(config.launchers).flatMap(([isolation, launcher]) =>
      isIsolationType(isolation) && launcher !== undefined
        ? [[isolation, assessLauncher(config, isolation, launcher, facts)] as const]
        : [],
    ),
  );
}

function assessLauncher(
  { name, lease }: HostConfig,
  isolation: IsolationType,
  launcher: LauncherConfig,
  facts: HostFacts,
): { readonly features: readonly Feature[] } | { readonly missing: Missing } {
  const missing = (what: string, remedy: string): { readonly missing: Missing } => ({
    missing: { what: `${name}, ${isolation}: ${what}`, remedy },
  });
  const [tool] = facts.lacks.filter((program) => program !== 'flock' || lease.kind === 'file');
  if (tool !== undefined)
    return missing(`it has no program ${tool}`, 'install coreutils, findutils and util-linux there');
  const absent = needsOf(launcher).find((needed) => !facts.has.has(needed));
  if (absent !== undefined) {
    return missing(`it has no ${absent}`, 'install it there, or correct the launcher in the hosts file');
  }
  // A user's command may provide isolation in any way.
  const hardware = launcher.kind === 'command' ? undefined : lackOfHardware(isolation, launcher, facts);
  return hardware === undefined ? { features: featuresOf(launcher, isolation) } : missing(...hardware);
}

function featuresOf(launcher: LauncherConfig, isolation: IsolationType): readonly Feature[] {
  switch (launcher.kind) {
    case 'command':
      return launcher.output === 'exit-code'
        ? ['tmk', 'reset', 'serial.write', 'fp.environment']
        : ['tmk', 'tmk.events', 'reset', 'fp.environment'];
    case 'qemu':
      if (isolation === 'none') {
        return [
          'tmk',
          'tmk.events',
          'tmk.rejections',
          'linux',
          'exec',
          'reset',
          'inspect.registers',
          'fp.environment',
          'memory.holes',
        ];
      }
      return ['tmk', 'tmk.events', 'reset', 'fp.environment'];
    case 'kvmtool':
      return ['tmk', 'tmk.events', 'reset', 'fp.environment'];
  }
}

/** The first missing item, in the order in which one would check by hand, with a remedy. */
function lackOfHardware(
  isolation: IsolationType,
  launcher: LauncherConfig,
  facts: HostFacts,
): readonly [string, string] | undefined {
  if (isolation === 'none') return undefined;
  const arch = isolation === 'cca' ? 'aarch64' : 'x86_64';
  if (facts.arch !== arch) return [`it is ${facts.arch}, not ${arch}`, `use a host with ${isolation}`];
  if (facts.kvm === 'no') return ['it has no /dev/kvm', 'boot a kernel with KVM there, at EL2 on Arm'];
  if (facts.kvm === 'denied') return ['its user may not use /dev/kvm', 'add the user to the group kvm there'];
  switch (isolation) {
    case 'cca':
      if (facts.realmVm?.startsWith('no') === true) {
        return [
          `its KVM makes no realms (${facts.realmVm.slice('no: '.length)})`,
          'boot firmware with an RMM and a kernel with support for realms as a host',
        ];
      }
      if (facts.realmVm === undefined && facts.rmi === undefined && facts.capArmRmi === undefined) {
        return [
          'nothing says that its KVM makes realms',
          'install python3 there so that it can be tried, or let the user read dmesg (kernel.dmesg_restrict=0)',
        ];
      }
      break;
    case 'snp':
      if (!/^[Yy1]/.test(facts.sevSnp ?? '')) {
        return ['kvm_amd has SEV-SNP switched off', 'switch SNP on in the firmware, and boot with kvm_amd.sev_snp=1'];
      }
      break;
    case 'tdx':
      if (!/^[Yy1]/.test(facts.tdx ?? '')) {
        return ['kvm_intel has TDX switched off', 'switch TDX on in the firmware, and boot with kvm_intel.tdx=1'];
      }
      break;
    case 'vbs':
      break;
  }
  if (launcher.kind !== 'qemu') return undefined;
  const object = { cca: 'rme-guest', snp: 'sev-snp-guest', tdx: 'tdx-guest', vbs: '' }[isolation];
  const program = qemuProgram(launcher.command);
  return facts.objects.has(`${program} ${object}`)
    ? undefined
    : [
        `its ${program} has no ${object} (${facts.versions.get(program) ?? 'version unknown'})`,
        'install a QEMU that has it',
      ];
}
