import type { HostConfig, LauncherConfig } from '../hosts/schema.ts';
import { HostFolder } from '../remote/host-folder.ts';
import { RemoteHost } from '../ssh/remote-host.ts';

/** The output of probe.sh on a host. */
export interface HostFacts {
  readonly arch: string;
  readonly kernel: string;
  readonly cpus: number;
  /** Bytes that are available now. */
  readonly memory: number;
  readonly kvm: 'yes' | 'no' | 'denied';
  /** `yes`, or `no: ` and the reason; undefined if it could not be tried. */
  readonly realmVm?: string;
  /** The kernel's message about the RMM's interface. */
  readonly rmi?: string;
  readonly sevSnp?: string;
  readonly tdx?: string;
  readonly capArmRmi?: string;
  /** Requested programs and files that exist. */
  readonly has: ReadonlySet<string>;
  /** Version output by program. */
  readonly versions: ReadonlyMap<string, string>;
  /** `PROGRAM OBJECT` for QEMU's confidential guest objects. */
  readonly objects: ReadonlySet<string>;
  /** Missing programs that supervision needs. */
  readonly lacks: readonly string[];
}

/** Programs and files on the host that a launcher needs. */
export function needsOf(launcher: LauncherConfig): string[] {
  switch (launcher.kind) {
    case 'command':
      // The values of variables are not known yet.
      return launcher.argv.slice(0, 1).filter((program) => !program.includes('${'));
    case 'qemu':
      return 'kernel' in launcher
        ? [
            qemuProgram(launcher.command),
            launcher.kernel,
            launcher.initrd,
            launcher.tmkVmm,
            ...(launcher.firmware === undefined ? [] : [launcher.firmware]),
          ]
        : [launcher.command];
    case 'kvmtool':
      return [launcher.command, launcher.kernel, launcher.tmkVmm];
  }
}

export function qemuProgram(command: string | undefined): string {
  return command ?? 'qemu-system-aarch64';
}

/** Connects to a host, queries it, and disconnects. @throws PetriError what connecting throws */
export async function askHost(config: HostConfig): Promise<HostFacts> {
  const host = new RemoteHost({ ...config, reconnect: Math.min(config.reconnect, 5) });
  try {
    const home = await HostFolder.open(host);
    const wanted = [
      ...new Set(
        Object.values(config.launchers).flatMap((launcher) => (launcher === undefined ? [] : needsOf(launcher))),
      ),
    ];
    const { stdout } = await host.run(['sh', await home.script('probe.sh'), ...wanted], { again: true });
    return readFacts(stdout);
  } finally {
    host.close();
  }
}

/** Parses the output of probe.sh; other output of the host is ignored. */
export function readFacts(text: string): HostFacts {
  const lines = text.split('\n').flatMap((line) => {
    const [, key, value = ''] = /^petri-probe (\S+) ?(.{0,1000})/.exec(line) ?? [];
    return key === undefined ? [] : [{ key, value }];
  });
  const one = (wanted: string): string | undefined => lines.find(({ key }) => key === wanted)?.value;
  const all = (wanted: string): string[] => lines.filter(({ key }) => key === wanted).map(({ value }) => value);
  const optional = (name: string, value: string | undefined): Record<string, string> =>
    value === undefined ? {} : { [name]: value };
  const kvm = one('kvm');
  return {
    arch: one('arch') ?? 'unknown',
    kernel: one('kernel') ?? 'unknown',
    cpus: count(one('cpus')),
    memory: count(one('memory')) * 1024,
    kvm: kvm === 'yes' || kvm === 'denied' ? kvm : 'no',
    ...optional('realmVm', one('realm-vm')),
    ...optional('rmi', one('rmi')),
    ...optional('sevSnp', one('sev_snp')),
    ...optional('tdx', one('tdx')),
    ...optional('capArmRmi', one('kvm_cap_arm_rmi')),
    has: new Set(all('has')),
    versions: new Map(
      all('version').map((value) => {
        const [program = '', ...version] = value.split(' ');
        return [program, version.join(' ')];
      }),
    ),
    objects: new Set(all('object')),
    lacks: all('lacks'),
  };
}

function count(text: string | undefined): number {
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
