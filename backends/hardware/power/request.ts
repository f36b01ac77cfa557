import type { PowerAction } from '../../../petri/contract/index.ts';
import type { LeaseConfig, PowerConfig } from '../hosts/schema.ts';
import { failed } from './failed.ts';

/** A request for the power of a board, for one kind of switch. */
export interface PowerRequest<Kind extends PowerConfig['kind']> {
  /** Name of the board, for messages. */
  readonly name: string;
  readonly config: PowerConfig & { readonly kind: Kind };
  readonly action: PowerAction;
  readonly lease: LeaseConfig | undefined;
}

/** Carries out a request. @returns the output, without secrets @throws PetriError `power-failed`, `tool-missing` */
export type PowerSwitch<Kind extends PowerConfig['kind']> = (request: PowerRequest<Kind>) => Promise<string>;

/** The password of a BMC. @throws PetriError `power-failed` */
export function secret(name: string, variable: string): string {
  const value = process.env[variable];
  if (value !== undefined && value !== '') return value;
  throw failed(name, `${variable} is not set`, `set ${variable} to the password of its BMC`);
}
