import type { LaunchContext, VmRuntime } from '../../petri/contract/backend.ts';
import { checkRealmSpec } from '../../petri/kit/cca/host/realm-limits.ts';
import { RealmVm } from '../../petri/kit/cca/host/realm-vm.ts';
import { tmkSpec, type VmSpec } from '../../petri/contract/spec.ts';
import { identity, limits } from './identity.ts';
import { fvpPlatform } from './platform.ts';
import { readInstalledStack, stackRoot } from './stack/installed.ts';

/** @throws PetriError `unsupported`, `invalid-config`, `stack-missing`, `stack-invalid` */
export function launch(spec: VmSpec, context: LaunchContext): VmRuntime {
  const realm = tmkSpec(identity.name, spec);
  checkRealmSpec({ ...identity, limits }, realm);
  return new RealmVm(fvpPlatform(readInstalledStack(stackRoot(process.cwd()))), realm, context);
}
