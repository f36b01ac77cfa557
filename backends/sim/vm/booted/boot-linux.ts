import type { LaunchContext } from '../../../../petri/contract/index.ts';
import { kernelPanic, LastWords } from '../../../../petri/kit/linux/index.ts';
import { PetriError } from '../../../../petri/errors.ts';
import type { BoardGuest, BoardListener } from '../../guests/index.ts';
import { GuestAgent } from '../guest-agent.ts';
import { RunLoop } from '../run-loop.ts';
import type { BootedState } from './booted-state.ts';

/**
 * Boots Linux up to where its agent waits for commands.
 *
 * @param context of the VM that needs it: its end is the end of the boot
 * @returns undefined if the guest ends before
 */
export async function bootLinux(
  make: (listener: BoardListener) => BoardGuest,
  maxInstructions: number,
  context: LaunchContext,
): Promise<BootedState | undefined> {
  const shown: Uint8Array[] = [];
  const words = new LastWords();
  const made: { guest?: BoardGuest; loop?: RunLoop } = {};
  const agent = new GuestAgent(
    () => made.guest,
    () => () => undefined,
    undefined,
  );
  const guest = make({
    output: (port, bytes) => {
      if (port === 'agent') {
        agent.push(bytes);
        return;
      }
      shown.push(bytes);
      words.push(bytes);
      if (words.panic !== undefined) made.loop?.end(kernelPanic(words.panic));
    },
    log: (message) => context.log(message),
  });
  const loop = new RunLoop({ guest, maxInstructions });
  Object.assign(made, { guest, loop });
  context.onEnd(() => loop.end({ reason: 'stopped' }));
  void loop.halted.then(() => agent.client.end('it ended'));
  loop.start();
  try {
    await agent.client.untilReady();
    if (!(await loop.untilListening())) return undefined;
    return { guest: guest.save(), extras: agent.save(), console: new Uint8Array(Buffer.concat(shown)) };
  } catch (error) {
    if (error instanceof PetriError && error.code === 'vm-halted') return undefined;
    throw error;
  } finally {
    loop.end({ reason: 'stopped' });
    guest.release();
  }
}
