import { ccaOptions } from '../cca/options.ts';
import { hostsOptions } from '../hosts.ts';
import { linuxOptions } from '../linux.ts';
import { doctorOptions, listOptions, sweepOptions } from '../command-options.ts';
import { tmkOptions } from '../tmk/options.ts';

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
