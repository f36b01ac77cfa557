import type { Backend } from '../../petri/contract/index.ts';
import { refusal } from './refusal.ts';

/** Machines of a lab, described in a hosts file, over SSH. */
export const backend: Backend = {
  name: 'hardware',
  description: 'machines of a lab over SSH, as petri.hosts.yaml describes them',
  probe: async () => {
    const { probeLab } = await import('./probe/probe-lab.ts');
    return await probeLab();
  },
  refuses: (spec) => refusal(spec),
  hosts: {
    list: async () => await (await import('./host-control.ts')).listHosts(),
    release: async (host) => await (await import('./host-control.ts')).releaseHost(host),
    power: async (host, action) => await (await import('./host-control.ts')).switchPower(host, action),
  },
  launch: async (spec, context) => {
    const { launch } = await import('./launch.ts');
    return await launch(spec, context);
  },
  close: async () => {
    const { closeLab } = await import('./lab.ts');
    await closeLab();
  },
};
