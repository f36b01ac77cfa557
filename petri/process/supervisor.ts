import type {
  ContainerRegistration,
  ContainerRuntime,
  RunIdentity,
  Slot,
  SlotWait,
  SpawnOptions,
  SupervisedProcess,
  TemporaryFolder,
} from './types.ts';

/** Starts processes and everything else that must not be left behind. One in each process: `Supervisor.open()`. */
export class Supervisor {
  /**
   * The one of this process. The first call makes the ledger, starts the reaper and sweeps what earlier crashes left.
   *
   * @throws PetriError `state-directory`
   */
  static open(): Promise<Supervisor> {
    return Promise.resolve(new Supervisor());
  }

  /** The one of this process, if it was opened and not closed. */
  static current(): Supervisor | undefined {
    return undefined;
  }

  /** Says which run this process belongs to. Costs nothing: it may be called where nothing is ever started. */
  static belongsTo(_run: RunIdentity): void {
    // Kept until the ledger is made.
  }

  /** @throws PetriError `tool-missing` where there is no such command, `spawn-failed` where it cannot be started */
  spawn(_options: SpawnOptions): Promise<SupervisedProcess> {
    throw new Error('not built yet');
  }

  /** @param _purpose part of the folder's name: 'model' */
  temporaryFolder(_purpose: string): Promise<TemporaryFolder> {
    throw new Error('not built yet');
  }

  /** To be called before the container is started. Without a label, one is made. */
  container(_container: {
    readonly runtime: ContainerRuntime;
    readonly label?: string;
  }): Promise<ContainerRegistration> {
    throw new Error('not built yet');
  }

  /**
   * A place among `capacity`, machine-wide and in turn.
   *
   * @throws PetriError `interrupted` when the signal aborts
   */
  slot(_pool: string, _capacity: number, _wait?: SlotWait): Promise<Slot> {
    throw new Error('not built yet');
  }

  /** A TCP port of 127.0.0.1 that nobody listens on and no other run was given. Somebody may still take it first. */
  freePort(): Promise<number> {
    throw new Error('not built yet');
  }

  /** Ends everything in order. Idempotent; never rejects. */
  async close(): Promise<void> {
    // Nothing is started yet.
  }
}
