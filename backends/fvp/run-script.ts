import { PetriError } from '../../petri/errors.ts';
import { uartParameters } from './model-parameters.ts';

/** UART parameters of shrinkwrap or a configuration, which ours replace. */
const UART_PARAMETER = /^-C bp\.terminal_\d\.(?:start_telnet|mode|terminal_command|quiet)\b/;

/** Variable with the path of the model, so that no path is inserted into the script. */
export const MODEL_VARIABLE = 'PETRI_FVP_BINARY';

export interface RunScriptOptions {
  /** Whether `$PETRI_FVP_BINARY` replaces the model that the script names. */
  readonly ownModel: boolean;
  /** Prepended to the model's command, such as `stdbuf`, `-oL`. */
  readonly prefix?: readonly string[];
}

export interface RunScript {
  readonly text: string;
  /** Name or path of the model that shrinkwrap would start. */
  readonly model: string;
}

/**
 * Adapts the script that `shrinkwrap run --dry-run` prints: the same preparations, model and parameters, except for the
 * UARTs, which listen for our clients and report their ports.
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
  return new PetriError('the output of `shrinkwrap run --dry-run` does not start a model', {
    code: 'stack-invalid',
    step: 'launch',
    remedy: 'run: npx petri cca status',
    transcriptTail: script.split('\n').slice(-10).join('\n'),
  });
}
