import type { TmkEvent, HaltReason, Registers } from '../../../petri/contract/index.ts';
import {
  continueRequest,
  decodeRecord,
  GuestRun,
  MONITOR_VERSION,
  RecordReader,
} from '../../../petri/kit/monitor/index.ts';
import type { TmkMonitor } from '../../../petri/tmk/index.ts';
import { launcherFailure, type Guest } from './guest.ts';
import { QemuControl, QMP_PORT } from './qemu-control.ts';

/** Characters of the monitor's messages that are kept. */
const MAX_WORDS = 2000;

/** A TMK under our monitor at EL2, whose records are the launcher's output. */
export class MonitorGuest implements Guest {
  readonly halted: Promise<HaltReason>;
  readonly #run: GuestRun;
  readonly #records: RecordReader;
  #words = '';
  #type: (bytes: Uint8Array) => void = () => undefined;

  readonly files: NonNullable<Guest['files']>;
  readonly ports: NonNullable<Guest['ports']>;
  readonly #control: QemuControl;

  /**
   * @param others receives the output of QEMU and of the monitor's UART, which is empty unless they fail
   * @param reconnect milliseconds in which a broken connection may be restored
   */
  constructor(monitor: TmkMonitor, others: (bytes: Uint8Array) => void, reconnect: number) {
    this.#control = new QemuControl(reconnect);
    this.ports = { [QMP_PORT]: this.#control.port.take };
    const keep = (bytes: Uint8Array): void => {
      this.#words = (this.#words + Buffer.from(bytes).toString('latin1')).slice(-MAX_WORDS);
      others(bytes);
    };
    this.files = { err: keep };
    const machine = {
      resume: (): void => {
        this.#type(continueRequest);
      },
      rest: (): void => undefined,
    };
    this.#run = new GuestRun(machine, monitor);
    this.halted = this.#run.halted;
    this.#records = new RecordReader((record) => {
      const message = decodeRecord(record);
      if (message.kind === 'ready' && message.version !== MONITOR_VERSION) {
        throw new Error(`it is of version ${String(message.version)}, expected ${String(MONITOR_VERSION)}`);
      }
      this.#run.message(message);
    });
  }

  get events(): readonly TmkEvent[] {
    return this.#run.events;
  }

  get registers(): Registers | undefined {
    return this.#run.registers;
  }

  attach(type: (bytes: Uint8Array, port?: string) => void): void {
    this.#type = type;
    this.#control.port.attach((bytes) => {
      type(bytes, QMP_PORT);
    });
    // `look` handles the rejection.
    this.#control.open().catch(() => undefined);
  }

  async look(): Promise<Registers | undefined> {
    const registers = await this.#control.look();
    if (registers !== undefined && !this.#run.over) this.#run.remember(registers);
    return registers;
  }

  async expire(why: string): Promise<HaltReason> {
    this.#run.endAt('timeout', why, await this.#control.look());
    return await this.halted;
  }

  over(): void {
    this.#control.end();
  }

  output(bytes: Uint8Array): void {
    if (this.#run.over) return;
    try {
      this.#records.push(bytes);
    } catch (error) {
      const text = Buffer.from(bytes.subarray(0, 500)).toString('latin1').trim();
      this.#run.lost(
        `what QEMU prints is not the monitor's: ${error instanceof Error ? error.message : String(error)}; it begins ${JSON.stringify(text)}`,
      );
    }
  }

  launcherEnded(code: number): HaltReason {
    const words = this.#words.trim();
    return (
      launcherFailure(code) ?? {
        reason: 'backend-lost',
        message: `QEMU ended with exit code ${String(code)}${words === '' ? '' : `, and this was said: ${words}`}`,
      }
    );
  }
}
