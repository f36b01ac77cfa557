export { type InstalledStack, parseInstalledStack, readInstalledStack, stackFile, stackRoot } from './installed.ts';
export { stackManager } from './manager.ts';
