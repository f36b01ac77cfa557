import { PetriError } from '../../petri/errors.ts';
import { uartParameters } from './model-parameters.ts';

/** What shrinkwrap or a configuration says of the UARTs, which are ours. */
const UART_PARAMETER = /^-C bp\.terminal_\d\.(?:start_telnet|mode|terminal_command|quiet)\b/;

/** Variables that the script gets from us, so that no path becomes part of it. */
export const MODEL_VARIABLE = 'PETRI_FVP_BINARY';

export interface RunScriptOptions {
  /** Whether another model is to be started than the one that is named, through `$PETRI_FVP_BINARY`. */
  readonly ownModel: boolean;
  /** Put before the model, such as `stdbuf`, `-oL`. */
  readonly prefix?: readonly string[];
}

export interface RunScript {
  readonly text: string;
  /** Name or path of the model that shrinkwrap would start. */
  readonly model: string;
}

/**
 * Makes the script that `shrinkwrap run --dry-run` prints ours: the same preparations, the same model, the same
 * parameters, but for the UARTs, which then listen for our own clients and say where.
 *
 * @throws PetriError `stack-invalid` for a script that starts no model
 */
export function adaptRunScript(script: string, options: RunScriptOptions): RunScript {
  const lines = script.split('\n');
  const start = lines.findLastIndex((line) => /^[\w./+-]*(?:fvp|isim)[\w.+-]*(?:\s|$)/i.test(line));
  if (start < 0) throw noModel(script);
  let end = start;
  while (end < lines.length - 1 && (lines[end] ?? '').trimEnd().endsWith('\\')) end += 1;
  const parts = lines
    .slice(start, end + 1)
    .map((line) => line.trim().replace(/\\$/, '').trim())
    .filter((part) => part !== '');
  const [first = '', ...others] = parts;
  const [model = '', ...rest] = first.split(/\s+(?=-)/);
  const kept = [...rest, ...others].filter((part) => !UART_PARAMETER.test(part));
  const program = [...(options.prefix ?? []), options.ownModel ? `"$${MODEL_VARIABLE}"` : model].join(' ');
  const command = [program, ...kept, ...uartParameters().map(([name, value]) => `-C ${name}=${value}`)];
  return {
    model,
    text: [...lines.slice(0, start), command.join(' \\\n    '), ...lines.slice(end + 1)].join('\n'),
  };
}

function noModel(script: string): PetriError {
  return new PetriError('what `shrinkwrap run --dry-run` printed does not start a model', {
    code: 'stack-invalid',
    step: 'launch',
    remedy: 'run: npx petri cca status',
    transcriptTail: script.split('\n').slice(-10).join('\n'),
  });
}
