import { once } from 'node:events';

import { Supervisor, type SupervisedProcess } from '../../../petri/kit/process/index.ts';
import { labgridCommand, type LabgridConfig } from './labgrid-client.ts';

/** Milliseconds for giving a place back. */
const GRACE = 30_000;

/**
 * A script for sh, with labgrid's client and its options as arguments: reads the owner of the place (us), waits for the
 * end of its input, and gives the place back if it still has that owner. `release` alone would also release the place
 * of the same user on another host. labgrid before 23.1 has no release-from: there, checking and releasing are two
 * steps.
 */
const GUARD = `
owner=
give_back() {
    trap "" TERM
    [ -n "$owner" ] || exec "$@" release
    case $("$@" release-from "$owner" 2>&1) in *released*) exit ;; esac
    case $("$@" show 2>/dev/null) in *"acquired: $owner
"*) exec "$@" release ;; esac
    exit
}
trap 'give_back "$@"' TERM
echo guarding
read -r owner
read -r end
give_back "$@"`;

/**
 * A place stays acquired when its user dies. So a process is prepared to release it, which learns of our death by the
 * end of its input, or by the signal of the reaper, which gives it time to run.
 */
export class PlaceGuard {
  readonly #process: SupervisedProcess;

  private constructor(process: SupervisedProcess) {
    this.#process = process;
  }

  static async start(config: LabgridConfig): Promise<PlaceGuard> {
    const supervisor = await Supervisor.open();
    const guard = await supervisor.spawn({
      name: `release of labgrid's place ${config.place}`,
      command: 'sh',
      args: ['-c', GUARD, 'sh', ...labgridCommand(config, [])],
      graceMs: GRACE,
    });
    // Before it is ready, a signal would end it.
    await Promise.race([once(guard.stdout, 'data'), guard.exited]);
    return new PlaceGuard(guard);
  }

  /** @param owner HOST/USER, in labgrid's notation */
  holds(owner: string): void {
    this.#process.stdin.write(`${owner}\n`);
  }

  /** Gives the place back, if it still has that owner. */
  async release(): Promise<void> {
    this.#process.stdin.end();
    await this.#process.exited;
    await this.#process.stop();
  }
}
