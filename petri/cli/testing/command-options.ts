import { ccaOptions } from '../cca/cca.ts';
import { hostsOptions } from '../hosts.ts';
import { linuxOptions } from '../linux.ts';
import { doctorOptions, listOptions, sweepOptions } from '../main.ts';
import { tmkOptions } from '../tmk/tmk.ts';

/** The tables of options, by command. `petri test` has none: its options are vitest's. */
export const commandOptions = {
  list: listOptions,
  doctor: doctorOptions,
  sweep: sweepOptions,
  tmk: tmkOptions,
  cca: ccaOptions,
  linux: linuxOptions,
  hosts: hostsOptions,
} as const;
