import { runInstall } from '../../../../petri/kit/stack/testing/run-install.ts';
import { QemuStackManager } from '../manager.ts';

export const main = async (): Promise<void> => await runInstall(new QemuStackManager({ disk: 0, memory: 0 }));
