import { shared } from '../shared.ts';

/**
 * What a backend may or may not be able to show of a VM. A test lists what it needs in `requires`; where a backend
 * lacks one of them the test is skipped with the reason. These are the built-in ones:
 *
 * - `serial.write`: input can be sent to the default console
 * - `tmk`: TMK payloads run, and their tests can be listed and run one by one
 * - `tmk.events`: what a TMK logs is among `vm.tmk.events`, so that it is known whether a test that is to fail was
 *   reached at all
 * - `tmk.rejections`: a TMK command that cannot be read is rejected with its reason, whatever the guest wrote
 * - `serial.fast`: a console carries megabytes in seconds
 * - `linux`: Linux boots
 * - `image`: bare-metal images and firmware boot
 * - `exec`: `vm.exec` runs commands in a guest with a shell
 * - `reset`: the VM can be started again with the same handle
 * - `snapshot`: `vm.snapshot` keeps the state of a running VM, and `vm.restore` has it go on from there, as often as a
 *   test wants
 * - `planes`: `vm.planes` exists
 * - `inspect.exits`: each plane's exits are recorded
 * - `inspect.registers`: registers of a halted VM can be read; of planes also system registers, and while they run
 * - `realm.config`, `realm.measurements`, `realm.ripas`: the members of `vm.realm`
 * - `fp.environment`: floating point obeys FPCR.RMode and FPCR.FZ, and raises the cumulative exception flags of FPSR
 * - `sp.alignment`: a load or store through a stack pointer that is not a multiple of 16 faults (SCTLR_EL1.SA)
 * - `memory.holes`: data accesses through null pointers, and just below the stack of a TMK, are faults, and none to a
 *   device
 * - `interrupts`: a VM without isolation has a GICv3 with the addresses of QEMU's machine `virt`, unless its memory
 *   reaches there, and interrupts of the EL1 timers, SGIs and SPIs arrive
 * - `instruction-budget`: `maxInstructions` ends a VM that loops for ever, at the same instruction every time
 */
export const features = [
  'serial.write',
  'serial.fast',
  'tmk',
  'tmk.events',
  'tmk.rejections',
  'linux',
  'image',
  'exec',
  'reset',
  'snapshot',
  'planes',
  'inspect.exits',
  'inspect.registers',
  'realm.config',
  'realm.measurements',
  'realm.ripas',
  'fp.environment',
  'sp.alignment',
  'memory.holes',
  'interrupts',
  'instruction-budget',
] as const;

/** One of the built-in `features`. */
export type BuiltinFeature = (typeof features)[number];

/**
 * A built-in feature, or one that the configuration declares for a backend of the user's own
 * (`definePetriConfig({ features })`).
 */
export type Feature = BuiltinFeature | (string & Record<never, never>);

/** Features that a configuration declares, with what they mean. */
const declared = shared('declared-features', () => new Map<string, string>());

/** Makes features of the user's own backends known to this process. A second configuration adds to the first. */
export function declareFeatures(more: Readonly<Record<string, string>>): void {
  for (const [name, meaning] of Object.entries(more)) declared.set(name, meaning);
}

/** The features that a test may require: the built-in ones and those that the configuration declares. */
export function knownFeatures(): readonly Feature[] {
  return [...features, ...declared.keys()];
}
