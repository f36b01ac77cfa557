import { once } from 'node:events';

import { Supervisor, type SupervisedProcess } from '../../../petri/kit/process/index.ts';
import { labgridCommand, type LabgridConfig } from './labgrid-client.ts';

/** Milliseconds that giving back may take. */
const GRACE = 30_000;

/**
 * For sh, with labgrid's client and its options as arguments: waits for the owner of the place, which is us, and then
 * for the end of its input, and gives the place back if it is still that owner's. `release` alone would free the place
 * of the same user on another host. labgrid before 23.1 has no release-from; there, looking and releasing are two
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
 * A place stays acquired when whoever acquired it dies. So its release waits in a process that learns of our death by
 * the end of its input, or by the signal of the reaper, which leaves it the time to run.
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
    // Before it says so, a signal would end it.
    await Promise.race([once(guard.stdout, 'data'), guard.exited]);
    return new PlaceGuard(guard);
  }

  /** @param owner HOST/USER, as labgrid shows who has the place */
  holds(owner: string): void {
    this.#process.stdin.write(`${owner}\n`);
  }

  /** Gives the place back, if it is still that owner's. */
  async release(): Promise<void> {
    this.#process.stdin.end();
    await this.#process.exited;
    await this.#process.stop();
  }
}
