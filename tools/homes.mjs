// What is behind the backends `fvp` and `hardware` where there is neither a model nor a lab: the stand-in for the
// model, and an sshd on loopback whose launcher is QEMU.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { load } from '../bin/load.mjs';

/** Gives the variables with which the backends find it, and what to say of it. To be closed. */
export async function openHomes() {
  const folder = mkdtempSync(join(tmpdir(), 'petri-homes-'));
  const homes = { env: {}, notes: {}, close: async () => rmSync(folder, { recursive: true, force: true }) };
  try {
    const { installStandIn } = await load('tests/stand-ins/fvp/install');
    installStandIn(join(folder, 'fvp'));
    homes.env.PETRI_CCA_ROOT = join(folder, 'fvp');
    homes.notes.fvp = 'verified against the stand-in in tests/stand-ins/fvp, not against the FVP';

    const { sshdPath, TestSshd } = await load('backends/hardware/testing/sshd');
    if (sshdPath === undefined) return homes;
    const sshd = await TestSshd.start();
    homes.close = async () => {
      await sshd.end();
      rmSync(folder, { recursive: true, force: true });
    };
    homes.env.PETRI_HOSTS = join(folder, 'petri.hosts.yaml');
    writeFileSync(homes.env.PETRI_HOSTS, sshd.hostsFile([{ capacity: 2, launchers: { none: { kind: 'qemu' } } }]));
    homes.notes.hardware =
      'verified against sshd on loopback with QEMU as the launcher, not against a machine with CCA';
    return homes;
  } catch (error) {
    await homes.close();
    throw error;
  }
}
