export { GdbServer } from './server.ts';
export type { GdbEvents, GdbFeature, GdbRegister, GdbResume, GdbStop, GdbTarget, WatchKind } from './target.ts';
