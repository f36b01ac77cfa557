export {
  type InstalledStack,
  parseInstalledStack,
  readInstalledStack,
  runtimes,
  stackFile,
  stackRoot,
} from './installed.ts';
export { stackManager } from './manager.ts';
