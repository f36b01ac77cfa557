import { slowFactor } from '../../../petri/slow-factor.ts';
import { QmpClient, stopAndLook, type QmpEvent } from '../../../petri/kit/qemu/index.ts';
import type { Registers } from '../../../petri/contract/index.ts';
import { PortStream } from '../remote/port-stream.ts';

/**
 * Milliseconds, before the slow factor: for an answer, in addition to the time for restoring a broken connection; for a
 * look at a deadline, which must take less than 1 s.
 */
const budgets = { answer: 20_000, look: 700 };

/** The port for QMP. */
export const QMP_PORT = 'qmp';

/** QMP of a QEMU on a host. */
export class QemuControl {
  readonly port = new PortStream();
  readonly #reconnect: number;
  #client: Promise<QmpClient> | undefined;
  #over = false;

  /** @param reconnect milliseconds in which a broken connection may be restored */
  constructor(reconnect: number) {
    this.#reconnect = reconnect;
  }

  /** @throws PetriError `backend-fault` */
  async open(onEvent: (event: QmpEvent) => void = () => undefined): Promise<QmpClient> {
    this.#client ??= QmpClient.open(this.port.stream, {
      timeout: budgets.answer * slowFactor() + this.#reconnect,
      onEvent,
    });
    this.#client.catch(() => undefined);
    return await this.#client;
  }

  /** Stops the machine and reads its guest's registers; undefined if that takes too long. Never rejects. */
  async look(): Promise<Registers | undefined> {
    if (this.#over) return undefined;
    const limit = budgets.look * slowFactor();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => {
        resolve(undefined);
      }, limit);
    });
    try {
      const looking = this.open().then((qmp) => stopAndLook(qmp, performance.now() + limit / 2));
      return await Promise.race([looking.catch(() => undefined), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  end(): void {
    this.#over = true;
    this.port.stream.destroy();
  }
}
