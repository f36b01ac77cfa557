import {
  type BackendLimits,
  type Missing,
  type ProbeResult,
  beyondLimits,
  type Feature,
  type VmSpec,
} from '../../petri/contract/index.ts';
import { ownManifest, resolveArtifact } from '../../petri/artifacts/index.ts';
import { PetriError } from '../../petri/errors.ts';
import { kvmtoolRefuses } from '../../petri/kit/cca/index.ts';
import { linuxLimits } from '../../petri/kit/qemu/index.ts';
import { askQemu, QemuFailed, type Asked } from './ask-qemu.ts';
import { pace } from './budgets.ts';
import { realmBounds } from './cca/identity.ts';
import { probeRealms, realmFeatures } from './cca/probe.ts';

const MIB = 2 ** 20;
const PROGRAM = 'qemu-system-aarch64';
const MONITOR = 'monitor';
const NEEDED_DEVICES = ['virtio-serial-device', 'virtserialport', 'pci-serial'];

/** RAM begins at 2 MiB and must end below 0xff000000, where a TMK expects its command page. TMKs use one vCPU. */
const tmkLimits: BackendLimits = { minMemory: 4 * MIB, maxMemory: 2032 * MIB, maxVcpus: 1, maxPlanes: 3 };
const noneFeatures: readonly Feature[] = [
  'serial.fast',
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
/** What any kind of VM allows; `refusal` has the rest. */
const limits: BackendLimits = { ...linuxLimits, minMemory: 4 * MIB };

/** Why no VM within the limits can be made for a payload of this kind, or no realm. */
export function refusal(spec: VmSpec): string | undefined {
  const { isolation, payload, config } = spec;
  if (isolation === 'cca') {
    const why = beyondLimits('QEMU', realmBounds, config);
    return why === undefined ? kvmtoolRefuses(spec) : `the test ${why} for a realm`;
  }
  const why = beyondLimits('QEMU', payload.kind === 'tmk' ? tmkLimits : linuxLimits, config);
  return why === undefined ? undefined : `the test ${why} for a payload of kind '${payload.kind}'`;
}

/** The QEMU to run. */
export function qemuCommand(): string {
  const chosen = process.env['PETRI_QEMU'];
  return chosen === undefined || chosen === '' ? PROGRAM : chosen;
}

/** Path of the monitor. @throws PetriError `artifact-missing`, `artifact-digest` */
export function monitorPath(): string {
  return resolveArtifact(MONITOR).path;
}

/** Queries QEMU's version and properties. Never throws. */
export async function probe(): Promise<ProbeResult> {
  try {
    const asked = await askQemu(qemuCommand());
    const missing = [...lacks(asked), ...lacksMonitor()];
    if (missing.length > 0) return { available: false, missing };
    const realms = await probeRealms(async (own) => (own === undefined ? asked : await askQemu(own)));
    const hasRealms = realms.missing.length === 0;
    return {
      available: true,
      isolation: { none: noneFeatures, ...(hasRealms ? { cca: realmFeatures } : {}) },
      ...(hasRealms ? {} : { lacking: { cca: realms.missing } }),
      limits,
      pace: pace(hasRealms ? realms.parallel : undefined),
      facts: {
        qemu: asked.version,
        package: asked.package,
        accelerator: 'tcg',
        rme: asked.cpuProperties.includes('x-rme') ? 'has x-rme' : 'has no x-rme',
        ...realms.facts,
      },
    };
  } catch (error) {
    return { available: false, missing: [missingQemu(error)] };
  }
}

function lacks({ version, machines, devices }: Asked): Missing[] {
  const remedy = 'install a complete QEMU: apt-get install qemu-system-arm';
  const missing: Missing[] = [];
  if (!machines.includes('virt')) missing.push({ what: `QEMU ${version} has no machine 'virt'`, remedy });
  for (const device of NEEDED_DEVICES) {
    if (!devices.includes(device)) missing.push({ what: `QEMU ${version} has no device '${device}'`, remedy });
  }
  return missing;
}

function lacksMonitor(): Missing[] {
  try {
    monitorPath();
    return [];
  } catch (error) {
    const known = error instanceof PetriError ? error.remedy : undefined;
    const artifact = ownManifest().artifacts.find(({ name }) => name === MONITOR);
    return [
      {
        what: `the monitor that runs TMKs in QEMU is not usable: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`,
        remedy: known ?? `make it with: ${artifact?.build ?? 'artifacts/monitor/build.sh'}`,
      },
    ];
  }
}

function missingQemu(error: unknown): Missing {
  const command = qemuCommand();
  const chosen = command === PROGRAM ? '' : ' (PETRI_QEMU)';
  const remedy = 'apt-get install qemu-system-arm, or let PETRI_QEMU name a qemu-system-aarch64';
  const failed = error instanceof QemuFailed ? error : undefined;
  if (failed?.code === 'ENOENT') return { what: `there is no ${command}${chosen}`, remedy };
  const why = failed?.said !== undefined && failed.said !== '' ? failed.said : String(error);
  return { what: `${command}${chosen} does not answer as QEMU does: ${why.split('\n')[0] ?? ''}`, remedy };
}
