import { runInstall } from '../../../../petri/kit/stack/testing/run-install.ts';
import { FvpStackManager } from '../manager.ts';

export const main = async (): Promise<void> => await runInstall(new FvpStackManager({ disk: 0, memory: 0 }));
