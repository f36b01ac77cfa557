import { ccaOptions } from '../cca/options.ts';
import { hostsOptions } from '../hosts.ts';
import { linuxOptions } from '../linux.ts';
import { doctorOptions, listOptions, sweepOptions } from '../command-options.ts';
import { runOptions } from '../run/options.ts';
import { tmkOptions } from '../tmk/options.ts';

/** The options of each command. `petri test` has none: its options belong to vitest. */
export const commandOptions = {
  list: listOptions,
  doctor: doctorOptions,
  sweep: sweepOptions,
  run: runOptions,
  tmk: tmkOptions,
  cca: ccaOptions,
  linux: linuxOptions,
  hosts: hostsOptions,
} as const;
