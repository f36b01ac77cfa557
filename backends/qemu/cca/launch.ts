import type { LaunchContext, VmRuntime, TmkPayload, VmSpec } from '../../../petri/contract/index.ts';
import { RealmVm, sessionPool } from '../../../petri/kit/cca/host/index.ts';
import { readInstalledStack, stackRoot } from '../stack/installed.ts';
import { identity } from './identity.ts';
import { realmPlatform } from './platform.ts';

/**
 * @param command the QEMU to run if the stack has none of its own
 * @throws PetriError `stack-missing`, `stack-invalid`
 */
export function launchRealm(spec: VmSpec<TmkPayload>, context: LaunchContext, command: string): VmRuntime {
  const stack = readInstalledStack(stackRoot(process.cwd()));
  return new RealmVm(realmPlatform({ stack, command: stack.qemu ?? command }), spec, context);
}

/** Ends the machine that the realms of this process share. Idempotent; never rejects. */
export async function closeRealms(): Promise<void> {
  await sessionPool(identity).close();
}
