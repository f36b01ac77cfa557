import type { LaunchContext, VmRuntime } from '../../petri/backend.ts';
import type { VmSpec } from '../../petri/vm/spec.ts';
import { FvpVm } from './fvp-vm.ts';
import { checkSpec } from './limits.ts';
import { readInstalledStack, stackRoot } from './stack/installed.ts';

/** @throws PetriError `unsupported`, `invalid-config`, `stack-missing`, `stack-invalid` */
export function launch(spec: VmSpec, context: LaunchContext): VmRuntime {
  checkSpec(spec);
  return new FvpVm(readInstalledStack(stackRoot(process.cwd())), spec, context);
}
