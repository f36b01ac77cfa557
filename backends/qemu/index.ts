import type { Backend } from '../../petri/backend.ts';

let loading: Promise<typeof import('./launch.ts')> | undefined;

/** Loaded only where VMs are made. */
function machinery(): Promise<typeof import('./launch.ts')> {
  loading ??= import('./launch.ts');
  return loading;
}

/** `qemu-system-aarch64` as an ordinary VM. */
export const backend: Backend = {
  name: 'qemu',
  description: 'qemu-system-aarch64: a plain VM behind a monitor at EL2',
  probe: async () => {
    const { probe } = await import('./probe.ts');
    return await probe();
  },
  prepare: async () => {
    const { prepare } = await machinery();
    await prepare();
  },
  launch: async (spec, context) => {
    const { launch } = await machinery();
    return await launch(spec, context);
  },
  close: async () => {
    if (loading === undefined) return;
    const { close } = await loading;
    await close();
  },
};
