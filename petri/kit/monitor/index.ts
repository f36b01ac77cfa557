export { isGuestMode } from './guest-mode.ts';
export { GuestRun, type GuestListener, type GuestMachine } from './guest-run.ts';
export {
  bootRequests,
  continueRequest,
  decodeRecord,
  MONITOR_VERSION,
  type GuestPlace,
  type GuestState,
  type MonitorMessage,
} from './monitor-protocol.ts';
export { RecordReader, type MonitorRecord } from './record-reader.ts';
