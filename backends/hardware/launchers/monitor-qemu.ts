import { resolveArtifact } from '../../../petri/artifacts/index.ts';
import { bootRequests } from '../../../petri/kit/monitor/index.ts';
import { optionValue } from '../../../petri/kit/qemu/index.ts';
import { PLAIN_RAM_BASE, TmkMonitor } from '../../../petri/tmk/index.ts';
import { MonitorGuest } from '../guests/monitor-guest.ts';
import type { MonitorQemuConfig } from '../hosts/schema.ts';
import { fillTemplate } from '../hosts/template.ts';
import { qmpArguments } from './qemu-ports.ts';
import { templateValues, type ProgramMaker } from './program.ts';

const MIB = 2 ** 20;
/** Memory below the guest's RAM: QEMU's device tree, and the monitor (artifacts/monitor/monitor.c, GUEST_PA). */
const MONITOR_BYTES = 8 * MIB;

/** A TMK in QEMU's emulation on a host, under the same monitor at EL2 as in the backend `qemu`. */
export const monitorQemu: ProgramMaker<MonitorQemuConfig> = async (
  config,
  { spec, home, testIndex, serial, launcher, log, reconnect },
) => {
  const place = { ramBase: PLAIN_RAM_BASE, ramBytes: spec.config.memory };
  const requests = Buffer.concat([...bootRequests(spec.payload, place, testIndex)]);
  const monitor = await home.put(resolveArtifact('monitor').path);
  const input = { path: await home.put(requests), size: requests.length };
  const monitoring = new TmkMonitor(spec.payload.image, PLAIN_RAM_BASE, { print: serial, log });
  const guest = new MonitorGuest(monitoring, (bytes) => launcher?.push(bytes), reconnect);
  return {
    guest,
    input,
    argv: (folder) => [
      config.command,
      ...['-nodefaults', '-no-user-config', '-display', 'none'],
      ...[
        '-machine',
        'virt,virtualization=on',
        '-accel',
        'tcg',
        '-cpu',
        config.cpu ?? 'max,sve=off,sme=off',
        '-smp',
        '1',
      ],
      ...['-m', `${String((spec.config.memory + MONITOR_BYTES) / MIB)}M`],
      ...['-kernel', monitor],
      ...['-global', 'virtio-mmio.force-legacy=false'],
      // The records use standard input and output, which survive a broken connection.
      ...['-chardev', 'stdio,id=events,signal=off'],
      ...['-device', 'virtio-serial-device,bus=virtio-mmio-bus.0,max_ports=2'],
      ...['-device', 'virtserialport,chardev=events,name=events'],
      // Appended to QEMU's own messages: following another file would take one of the few channels of a connection.
      ...['-chardev', `file,id=uart,path=${optionValue(folder)}/err,append=on`, '-serial', 'chardev:uart'],
      ...qmpArguments(folder),
      ...config.args.map((argument) =>
        fillTemplate(argument, templateValues(spec, testIndex, { payload: '', folder })),
      ),
    ],
  };
};
