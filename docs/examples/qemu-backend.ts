import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import {
  type Backend,
  boots,
  cannotBoot,
  connectConsole,
  type EndReason,
  type HaltReason,
  type LaunchContext,
  type LinuxPayload,
  type ProbeResult,
  type SerialConsole,
  type SupervisedProcess,
  Supervisor,
  type TcpConsole,
  type VmBoot,
  VmLife,
  type VmRuntime,
  type VmSpec,
} from 'petri-vm/backend';

const MIB = 2 ** 20;
const program = process.env['ACME_QEMU'] ?? 'qemu-system-aarch64';
/** Milliseconds in which QEMU opens its ports. */
const STARTS_WITHIN = 60_000;

async function probe(): Promise<ProbeResult> {
  try {
    const { stdout } = await promisify(execFile)(program, ['--version'], { timeout: STARTS_WITHIN });
    return {
      available: true,
      isolation: { none: ['linux', 'serial.write', 'reset', 'acme.icount'] },
      limits: { minMemory: 64 * MIB, maxMemory: 4096 * MIB, maxVcpus: 1, maxPlanes: 1 },
      // Time-outs of tests are for a guest in this process: those of QEMU's get its start on top.
      pace: { boot: STARTS_WITHIN, factor: 1, parallel: 4 },
      facts: { qemu: stdout.split('\n')[0] ?? '' },
    };
  } catch (error) {
    const what = `${program} does not run: ${String(error)}`;
    return { available: false, missing: [{ what, remedy: 'apt-get install qemu-system-arm, or set ACME_QEMU' }] };
  }
}

function refuses({ payload }: VmSpec): string | undefined {
  if (payload.kind !== 'linux' || payload.initramfs !== undefined) return undefined;
  return 'it boots Linux with an initramfs of the test: linux({ initramfs })';
}

/** One QEMU from its start, before the first instruction, to its end. */
class Machine {
  /** Never rejects. */
  readonly halted: Promise<HaltReason>;
  readonly #qemu: SupervisedProcess;
  readonly #port: TcpConsole;
  #halt: (why: HaltReason) => void = () => undefined;

  static async start(spec: VmSpec<LinuxPayload>, context: LaunchContext, console: SerialConsole): Promise<Machine> {
    const supervisor = await Supervisor.open();
    const port = await supervisor.freePort();
    let said = '';
    const qemu = await supervisor.spawn({
      name: 'QEMU',
      command: program,
      args: machineArguments(spec, port),
      // QMP and complaints: a few lines, of which the end says how the guest ended.
      onOutput: (chunk) => (said = (said + chunk.toString()).slice(-4096)),
    });
    context.log(`QEMU is process ${qemu.pid}`);
    try {
      const gone = new AbortController();
      void qemu.exited.then((exit) => gone.abort(new Error(`QEMU ${exit.describe()}: ${said}`)));
      const signal = AbortSignal.any([context.signal, gone.signal]);
      const options = { host: '127.0.0.1', port, mode: 'raw' as const, console, signal, retryFor: STARTS_WITHIN };
      return new Machine(qemu, await connectConsole(options), () => said);
    } catch (error) {
      await qemu.stop({ graceMs: 0 });
      throw error;
    }
  }

  private constructor(qemu: SupervisedProcess, port: TcpConsole, said: () => string) {
    this.#qemu = qemu;
    this.#port = port;
    this.halted = new Promise((resolve) => (this.#halt = resolve));
    // The last words of the guest are in the console before its VM halts.
    void Promise.all([qemu.exited, port.closed]).then(([exit]) => {
      const [, reason] = /"event": "SHUTDOWN".*"reason": "([a-z-]+)"/.exec(said()) ?? [];
      if (reason === 'guest-shutdown') this.#halt({ reason: 'power-off' });
      else if (reason === 'guest-reset') this.#halt({ reason: 'reset' });
      else this.#halt({ reason: 'backend-lost', message: `QEMU ${exit.describe()}: ${said()}` });
    });
  }

  /** Lets the guest run its first instruction. */
  run(): void {
    this.execute('qmp_capabilities');
    this.execute('cont');
  }

  execute(command: string): void {
    this.#qemu.stdin.write(`${JSON.stringify({ execute: command })}\n`);
  }

  type(bytes: Uint8Array): void {
    void this.#port.write(bytes);
  }

  /** Of several reasons the first stays. */
  async end(why: HaltReason): Promise<void> {
    this.#halt(why);
    this.#port.end();
    await this.#qemu.stop({ graceMs: 0 });
  }
}

function machineArguments({ payload, config }: VmSpec<LinuxPayload>, port: number): string[] {
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-S'],
    ...['-machine', 'virt', '-cpu', 'cortex-a57', '-smp', String(config.vcpus), '-m', `${config.memory / MIB}M`],
    // The feature of our own.
    ...['-accel', 'tcg', '-icount', 'shift=3,sleep=off'],
    ...['-kernel', payload.path, '-append', `console=ttyAMA0 ${payload.commandLine}`],
    ...(payload.initramfs === undefined ? [] : ['-initrd', payload.initramfs]),
    ...['-serial', `tcp:127.0.0.1:${port},server=on,wait=on`, '-qmp', 'stdio'],
  ];
}

class QemuVm implements VmRuntime {
  readonly planes = [];
  readonly #spec: VmSpec<LinuxPayload>;
  readonly #context: LaunchContext;
  readonly #console: SerialConsole;
  #machine: Machine | undefined;
  #used = false;
  readonly #life = new VmLife(async () => this.#machine?.end({ reason: 'stopped' }));

  static async launch(spec: VmSpec<LinuxPayload>, context: LaunchContext): Promise<QemuVm> {
    const vm = new QemuVm(spec, context);
    await vm.#renew();
    return vm;
  }

  private constructor(spec: VmSpec<LinuxPayload>, context: LaunchContext) {
    this.#spec = spec;
    this.#context = context;
    this.#console = context.openConsole('serial', (bytes) => this.#machine?.type(bytes));
    context.onEnd((why: EndReason) => void this.#machine?.end(why));
  }

  start(): Promise<VmBoot> {
    return this.#life.start(() => this.#start());
  }

  async #start(): Promise<VmBoot> {
    const machine = this.#used || this.#machine === undefined ? await this.#renew() : this.#machine;
    this.#life.mustLive();
    this.#used = true;
    machine.run();
    return { halted: machine.halted, tmkEvents: [] };
  }

  /** A machine as `launch` left it. */
  async #renew(): Promise<Machine> {
    await this.#machine?.end({ reason: 'stopped' });
    this.#machine = await Machine.start(this.#spec, this.#context, this.#console);
    return this.#machine;
  }

  async stop(signal: AbortSignal): Promise<void> {
    const machine = this.#machine;
    if (machine === undefined) return;
    machine.execute('system_powerdown');
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    await Promise.race([machine.halted, aborted]);
  }

  kill(): Promise<void> {
    return this.#life.kill();
  }
}

export const backend: Backend = {
  name: 'acme',
  description: 'Linux in a QEMU whose clock counts instructions',
  probe,
  refuses,
  launch: async (spec, context) => {
    if (!boots(spec, 'linux')) throw cannotBoot('acme', spec);
    return await QemuVm.launch(spec, context);
  },
};
