import { type MachineMap, machinePool } from '../../machine/index.ts';
import { Board, type BoardListener, type BoardSize } from './board.ts';
import type { MemoryImage } from './memory-image.ts';

/** Boards that are kept: each has the memory of a whole operating system. */
const MAX_PARKED = 2;

/**
 * Boards that were saved or restored once and that nobody uses now. Who restores a state takes one, best one that had
 * this state before: then only what was used since has to be put back, and decoded code is there. Nothing else of what
 * ran on a board before can be seen, since its memory is compared with the state.
 */
export class ParkedBoards {
  /** The one that was parked last is last. */
  readonly #boards: Board[] = [];

  /** @param image what is going to be restored */
  take(map: MachineMap, size: BoardSize, image: MemoryImage, listener: BoardListener): Board {
    const fitting = this.#boards.filter(
      (board) =>
        size.virtio === undefined &&
        board.map === map &&
        board.size.memory === size.memory &&
        board.size.vcpus === size.vcpus &&
        (board.size.el2 ?? false) === (size.el2 ?? false) &&
        (board.size.flash ?? false) === (size.flash ?? false),
    );
    const found = fitting.find((board) => board.image === image) ?? fitting.at(-1);
    if (found === undefined) return new Board(map, size, listener);
    this.#boards.splice(this.#boards.indexOf(found), 1);
    found.adopt(listener);
    return found;
  }

  /** Takes a board back from its owner. */
  release(board: Board): void {
    // What a virtio device is connected to is its owner's.
    if (board.image === undefined || board.size.virtio !== undefined) {
      discard(board);
      return;
    }
    this.#boards.push(board);
    if (this.#boards.length > MAX_PARKED) {
      const oldest = this.#boards.shift();
      if (oldest !== undefined) discard(oldest);
    }
  }
}

function discard({ machine, stage2, size }: Board): void {
  for (const device of size.virtio ?? []) device?.[Symbol.dispose]?.();
  machinePool.release(machine, stage2.touched());
}

/** Those of this thread. */
export const parkedBoards = new ParkedBoards();
