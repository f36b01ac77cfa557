import { type LaunchContext, type VmRuntime, tmkSpec, type VmSpec, cannotIsolate } from '../../petri/contract/index.ts';
import { RealmVm } from '../../petri/kit/cca/host/index.ts';
import { identity } from './identity.ts';
import { fvpPlatform } from './platform.ts';
import { readInstalledStack, stackRoot } from './stack/installed.ts';

/** @throws PetriError `unsupported`, `stack-missing`, `stack-invalid` */
export function launch(spec: VmSpec, context: LaunchContext): VmRuntime {
  const realm = tmkSpec(identity.name, spec);
  if (realm.isolation !== 'cca') throw cannotIsolate(identity.name, realm.isolation, "it makes 'cca'");
  return new RealmVm(fvpPlatform(readInstalledStack(stackRoot(process.cwd()))), realm, context);
}
