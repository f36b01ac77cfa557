import { describe, expect, it } from 'vitest';

import type { RmmModel } from './index.ts';
import { replay, type ReplayOptions } from './testing/recording.ts';

/** Lines of a recording that the simulated RMM answers differently in any model, by reason. */
interface Expected {
  readonly options?: Omit<ReplayOptions, 'model'>;
  readonly platform: Readonly<Record<string, readonly number[]>>;
  /** Lines that differ only from the model `specification`, because TF-RMM deviates from it. */
  readonly specification?: Readonly<Record<string, readonly number[]>>;
  /** Lines that differ only from the model `tf-rmm`, as a consequence of another difference. */
  readonly tfRmm?: Readonly<Record<string, readonly number[]>>;
}

const range = (from: number, to: number, step: number): number[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, n) => from + n * step);

const recordings: Readonly<Record<string, Expected>> = {
  'random-1': { platform: {} },
  'random-2': { platform: {} },
  rmi: {
    platform: {
      'RMI_FEATURES says what each platform has': [13, 58],
      'commands of device assignment and memory encryption, with the feature absent': [24, 26, 27, 30, 31],
      'SVE and PMU are there': [2894, 2897],
      'an RTT tree for each plane is there, indirect permissions are not': [
        3082, 3085, 3533, 3536, 3542, 3545, 3551, 3554, 3560, 3563,
      ],
      'a realm has more than 15 RECs': [7727],
    },
    specification: {
      'the byte after s2sz, num_bps or num_wps is read': [5156, 5161, 5163],
      'num_aux is truncated to 32 bits': [7302],
    },
    // One REC more exists: the one that was accepted with a truncated num_aux.
    tfRmm: { 'a realm has more than 15 RECs': [7707] },
  },
  'rsi-and-exits': {
    options: { freshSections: true },
    platform: {
      'ICH_VTR_EL2 says what each platform has': [936],
      'commands of device assignment, with the feature absent': [1125, 1128, 1179, 1182],
    },
    specification: {
      'RSI_REALM_CONFIG leaves what is between its fields': [930, ...range(942, 969, 3), ...range(996, 1035, 3), 1113],
      'the index of RSI_MEM_GET_PERM_VALUE is truncated to 32 bits': [1221],
    },
  },
  planes: {
    options: { oneTree: true },
    platform: {
      'each tree of a realm is given its permissions in a call of its own': [208, 211, 212, 215],
      'FAR_EL2 and HPFAR_EL2 keep what an earlier exception left': [
        281, 284, 449, 533, 617, 701, 785, 869, 953, 1037, 1121, 2381, 2717, 2720, 2801, 2804,
      ],
      'PSTATE.BTYPE and ALLINT are there': [371, 1799, 1883, 1967, 2051, 2135, 2219, 2303, 2555, 2891],
      'ID_AA64MMFR0_EL1 says what each platform has': [2309],
      'trap_hc is inverted; a plane begins with ICH_VMCR_EL2 zero': [773],
    },
    specification: { 'trap_hc is inverted': [776, 779, 782, 794] },
  },
};

const models: readonly RmmModel[] = ['specification', 'tf-rmm'];

describe.each(models)('the answers of TF-RMM, model %s', (model) => {
  it.each(Object.entries(recordings))('%s', (name, { options, platform, specification = {}, tfRmm = {} }) => {
    const { compared, differences } = replay(name, { model, ...options });
    const lines = new Set([platform, model === 'specification' ? specification : tfRmm].flatMap(Object.values).flat());
    expect(differences.filter(({ line }) => !lines.has(line))).toEqual([]);
    expect(differences.map(({ line }) => line)).toEqual([...lines].sort((a, b) => a - b));
    expect(compared).toBeGreaterThan(1600);
  });
});
