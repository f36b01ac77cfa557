import { z } from 'zod';

const pid = z
  .number()
  .int()
  .min(2)
  .max(2 ** 31 - 1);
const identity = z.object({ pid, start: z.string().min(1).max(64) });
const entry = z.number().int().min(0);
const path = z.string().min(1).max(4096).regex(/^\//);

/** The subject of a ledger's entry. */
const thing = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('process'), name: z.string().max(256), graceMs: z.number().min(0).max(60_000) }),
  z.object({ kind: z.literal('folder'), path }),
  z.object({
    kind: z.literal('container'),
    runtime: z.enum(['docker', 'podman']),
    // Strict, since containers are removed by this label.
    label: z
      .string()
      .max(256)
      .regex(/^petri-vm[\w.-]*=[\w.-]+$/),
  }),
  z.object({
    kind: z.literal('slot'),
    pool: z.string().regex(/^[\w-]{1,64}$/),
    ticket: z.string().regex(/^[\w-]{1,200}$/),
  }),
  z.object({ kind: z.literal('port'), port: z.number().int().min(1).max(65_535) }),
]);

/** Lines of a ledger. */
export const ledgerRecord = z.discriminatedUnion('op', [
  z.object({ op: z.literal('ledger'), version: z.literal(1), id: z.string().regex(/^[\w-]{1,100}$/), owner: identity }),
  z.object({ op: z.literal('run'), directory: path, runner: identity.optional() }),
  /** A process that ends what the ledger lists when the owner has died; and one that has stopped doing so. */
  z.object({ op: z.literal('reaper'), reaper: identity }),
  z.object({ op: z.literal('reaper-gone'), reaper: identity }),
  z.object({ op: z.literal('open'), entry, thing }),
  /** A process of the entry that was found. */
  z.object({ op: z.literal('seen'), entry, process: identity }),
  z.object({ op: z.literal('end'), entry }),
]);

export type LedgerRecord = z.infer<typeof ledgerRecord>;
export type Thing = z.infer<typeof thing>;

export const runtimeLabel = thing.options[2].shape.label;
