import { type Plane0Port, type Plane0Step, Rsi } from '../rmm/index.ts';

/** RsiInterfaceVersion 1.1, the first with planes. */
export const RSI_VERSION_1_1 = 0x1_0001n;

const statusNames = [
  'RSI_SUCCESS',
  'RSI_ERROR_INPUT',
  'RSI_ERROR_STATE',
  'RSI_INCOMPLETE',
  'RSI_ERROR_UNKNOWN',
  'RSI_ERROR_DEVICE',
] as const;

export function rsiStatusName(status: bigint): string {
  if (status === 0xffff_ffff_ffff_ffffn) return 'NOT_SUPPORTED';
  return statusNames[Number(status)] ?? `unknown RSI status 0x${status.toString(16)}`;
}

/** The step that executes an SMC; steps have no state, so all calls share it. */
export const smc: Plane0Step = { kind: 'smc' };

/** A command of plane 0 failed, so plane 1 cannot run. The plane-run core catches it and ends the run. */
export class Plane0Failure extends Error {
  override readonly name = 'Plane0Failure';
}

/** Makes one RSI call with X1 onward from `inputs`; its outputs are in `port.x` from 1. @returns X0 */
export function* tryRsi(
  port: Plane0Port,
  command: keyof typeof Rsi,
  ...inputs: readonly bigint[]
): Generator<Plane0Step, bigint, void> {
  port.x.fill(0n);
  port.x[0] = BigInt(Rsi[command]);
  port.x.set(inputs, 1);
  yield smc;
  return port.x[0];
}

/** As `tryRsi`, for commands that a correct plane 0 never sees fail. @throws Plane0Failure unless it is RSI_SUCCESS */
export function* rsi(
  port: Plane0Port,
  command: keyof typeof Rsi,
  ...inputs: readonly bigint[]
): Generator<Plane0Step, void, void> {
  const status = yield* tryRsi(port, command, ...inputs);
  if (status !== 0n) {
    const given = inputs.map((value) => `0x${value.toString(16)}`).join(', ');
    throw new Plane0Failure(`RSI_${command}(${given}) gave ${rsiStatusName(status)}`);
  }
}
