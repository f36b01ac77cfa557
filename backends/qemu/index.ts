import type { Backend } from '../../petri/contract/index.ts';
import { probe, refusal } from './probe.ts';

let loading: Promise<typeof import('./launch.ts')> | undefined;

/** Loaded when the first VM is made. */
function machinery(): Promise<typeof import('./launch.ts')> {
  loading ??= import('./launch.ts');
  return loading;
}

/** `qemu-system-aarch64` as an ordinary VM, and as a machine with RME that launches realms. */
export const backend: Backend = {
  name: 'qemu',
  description: 'qemu-system-aarch64: TMKs and Linux in plain VMs, and realms where it has RME',
  probe,
  prepare: async () => {
    const { prepare } = await machinery();
    await prepare();
  },
  launch: async (spec, context) => {
    const { launch } = await machinery();
    return await launch(spec, context);
  },
  refuses: (spec) => refusal(spec),
  close: async () => {
    if (loading === undefined) return;
    const { close } = await loading;
    await close();
  },
};
