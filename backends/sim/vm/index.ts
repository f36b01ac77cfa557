export { launch } from './launch-vm.ts';
export { warmUp } from './warm-up.ts';
