import {
  type Backend,
  type BackendLimits,
  type VmRuntime,
  knownFeatures,
  type Feature,
  beyondLimits,
  cannotBoot,
  type VmPayload,
  type VmSpec,
} from '../contract/index.ts';
import { PetriError } from '../errors.ts';
import { timerDelay } from '../timer.ts';
import { abortSignal, checkOptions, listOf, milliseconds, oneOfThese, text, type Rule } from '../options/index.ts';
import { hostClock, SerialConsole, type WaitClock } from '../serial/index.ts';
import { resolveVmConfig } from './config.ts';
import { VmController } from './vm-controller.ts';
import { VmEnd } from './vm-end.ts';
import { VmFolder } from './vm-folder.ts';
import { vmOf, type VmOf } from './vm.ts';

/** What `launchVm` is given beside a backend and a specification; `petriTest` fills it in for tests. */
export interface LaunchOptions {
  /** Folder for everything that is kept of this VM; made if it does not exist. */
  readonly directory: string;
  /** What the backend's probe said it can show for this isolation type. */
  readonly features: readonly Feature[];
  /** What the backend's probe said it can make; without it only what the backend itself refuses is checked. */
  readonly limits?: BackendLimits | undefined;
  /** Ends the VM when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds from now after which the VM halts with `timeout`. */
  readonly deadline?: number | undefined;
  /**
   * Milliseconds from the payload's first instruction after which a boot halts with `timeout`, though the deadline is
   * not there yet.
   */
  readonly runLimit?: number | undefined;
  /** The test inside the TMK to boot with, where it has several. */
  readonly test?: string | undefined;
  /** Called with each line that goes into the VM's own log, such as which stage of a boot is waited for. */
  readonly onLog?: ((message: string) => void) | undefined;
}

const rules: Readonly<Record<keyof LaunchOptions, Rule>> = {
  directory: text,
  features: listOf(oneOfThese(knownFeatures)),
  limits: { accepts: (value) => typeof value === 'object' && value !== null, expected: 'the limits of a probe' },
  signal: abortSignal,
  deadline: milliseconds,
  runLimit: milliseconds,
  test: text,
  onLog: { accepts: (value) => typeof value === 'function', expected: 'a function' },
};

/**
 * Makes a VM: its consoles are connected, and its first use boots it. Whoever calls this disposes of it.
 *
 * @throws PetriError `invalid-option`; `invalid-config` for what is beyond the limits or refused; what the backend
 *   says, as it is; anything else as `backend-fault`
 */
export async function launchVm<P extends VmPayload>(
  backend: Backend,
  spec: VmSpec<P>,
  options: LaunchOptions,
): Promise<VmOf<P>> {
  checkOptions('launchVm()', options, rules);
  const controller = await launchController(backend, spec, options);
  // Safe: the handle is made for the payload.
  return vmOf(controller) as VmOf<P>;
}

/**
 * As `launchVm`, for those who give the VM to somebody else and end it themselves.
 *
 * @throws PetriError `invalid-option`; `invalid-config` for what is beyond the limits or refused; what the backend
 *   says, as it is; anything else as `backend-fault`
 */
export async function launchController(backend: Backend, spec: VmSpec, options: LaunchOptions): Promise<VmController> {
  // Every backend boots TMKs.
  if (spec.payload.kind !== 'tmk' && !options.features.includes(spec.payload.kind))
    throw cannotBoot(backend.name, spec);
  checkSize(backend, spec, options.limits);
  const folder = new VmFolder(options.directory);
  const end = new VmEnd();
  const consoles = new Map<string, SerialConsole>();
  /** Empty until the backend has made the VM: nothing can be booted before. */
  const made: { controller?: VmController; runtime?: VmRuntime } = {};
  const clock = clockOf(() => made.runtime);
  const openConsole = (name: string, input?: (bytes: Uint8Array) => void): SerialConsole => {
    if (consoles.has(name)) throw backendFault(backend, new Error(`console '${name}' was opened twice`));
    const console = new SerialConsole({
      name,
      directory: folder.path,
      logLimit: spec.config.consoleLimit,
      onIncomplete: (why) => folder.log.write(why),
      onDemand: () => made.controller?.boot(),
      clock,
      ...(input === undefined ? {} : { input }),
    });
    consoles.set(name, console);
    return console;
  };
  const overdue = `it had to end within ${((options.deadline ?? 0) / 1000).toFixed(1)} s`;
  watch(end.signal, options, {
    onAbort: () => {
      if (made.controller === undefined) end.end({ reason: 'stopped' });
      else void made.controller.kill();
    },
    onDeadline: () => {
      if (made.controller === undefined) end.end({ reason: 'timeout', message: overdue });
      else void made.controller.expire(overdue);
    },
  });
  let runtime: VmRuntime;
  try {
    runtime = await backend.launch(spec, {
      logDirectory: folder.path,
      signal: end.signal,
      onEnd: (handler) => end.on(handler),
      openConsole,
      log: (message) => {
        folder.log.write(message);
        options.onLog?.(message);
      },
    });
  } catch (error) {
    const late = end.why?.reason === 'timeout';
    end.release();
    end.end({ reason: 'stopped' });
    folder.log.write(`launch failed: ${String(error)}`);
    for (const console of consoles.values()) console.dispose('the VM could not be made');
    folder.log.close();
    if (late) throw tooLate(backend, overdue, error);
    throw error instanceof PetriError ? error : backendFault(backend, error);
  }
  made.runtime = runtime;
  const controller = new VmController({
    backend: backend.name,
    spec,
    runtime,
    consoles,
    features: options.features,
    folder,
    end,
    test: options.test,
    runLimit: options.runLimit,
  });
  made.controller = controller;
  // Its backend was called back, and went on all the same.
  if (end.why !== undefined) await controller.kill();
  return controller;
}

/**
 * The one check of a configuration: what `launch` of a backend gets is one that a test may ask for, within the limits
 * and not refused.
 */
function checkSize(backend: Backend, spec: VmSpec, limits: BackendLimits | undefined): void {
  resolveVmConfig(spec.config);
  const beyond = limits && beyondLimits(`backend '${backend.name}'`, limits, spec.config);
  const why = beyond === undefined ? backend.refuses?.(spec) : `the VM ${beyond}`;
  if (why === undefined) return;
  throw new PetriError(`backend '${backend.name}' cannot make this VM: ${why}`, {
    code: 'invalid-config',
    step: 'launch',
    remedy: 'leave its size and options at their defaults, or run the test on a backend that can',
  });
}

interface WatchHandlers {
  readonly onAbort: () => void;
  readonly onDeadline: () => void;
}

/** Watches the deadline and the caller's signal until the VM is ended, from before the backend makes it. */
function watch(ended: AbortSignal, { signal, deadline }: LaunchOptions, { onAbort, onDeadline }: WatchHandlers): void {
  const timer = deadline === undefined ? undefined : setTimeout(onDeadline, timerDelay(deadline));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  // Every end of a VM goes through its own signal.
  ended.addEventListener(
    'abort',
    () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    },
    { once: true },
  );
}

function tooLate(backend: Backend, overdue: string, cause: unknown): PetriError {
  const what = cause instanceof Error ? cause.message : String(cause);
  return new PetriError(`backend '${backend.name}' did not make the VM in time: ${overdue}. It ended with: ${what}`, {
    code: 'wait-timeout',
    step: 'launch',
    remedy: 'its log (petri.log in the folder of the VM) says what it waited for',
    cause,
  });
}

function backendFault(backend: Backend, cause: unknown): PetriError {
  return new PetriError(`backend '${backend.name}' failed while it made a VM: ${String(cause)}`, {
    code: 'backend-fault',
    step: 'launch',
    remedy: 'this is a defect of the backend: report it with the log of the VM',
    cause,
  });
}

/** The time of the guest where its backend counts that, else of the host. */
function clockOf(runtime: () => VmRuntime | undefined): WaitClock {
  const counts = (): boolean => runtime()?.guestTimer !== undefined;
  return {
    start: (milliseconds, callback) =>
      runtime()?.guestTimer?.(milliseconds, callback) ?? hostClock.start(milliseconds, callback),
    get behind() {
      return !counts() && hostClock.behind;
    },
    describe: (milliseconds) => `${hostClock.describe(milliseconds)}${counts() ? ' of the time of its guest' : ''}`,
  };
}
