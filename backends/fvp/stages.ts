import {
  crashesOn,
  edk2Crashes,
  hafniumCrashes,
  rmmConsoleCrashes,
  rustCrashes,
  tfaCrashes,
  type BootStage,
  type CrashSignature,
} from '../../petri/kit/boot/index.ts';
import { bootSigns, hostAgentStage, hostCrashes } from '../../petri/kit/cca/host/index.ts';
import { stageBudgets } from './budgets.ts';

/** The model's own output, and its four UARTs by number, with the world that prints on each. */
export const MODEL_CONSOLE = 'model';
export const uartConsoles = ['host', 'tf-a', 'secure', 'rmm'] as const;

/** Written to the model's console when all of its UARTs are connected. */
export const CONNECTED = 'every UART is connected';

/** From the start of the model to our agent on the host. */
export function modelStages(nonce: string): readonly BootStage[] {
  const onHost = (name: keyof typeof bootSigns): BootStage => ({
    name,
    console: 'host',
    marker: bootSigns[name],
    deadline: stageBudgets[name],
  });
  return [
    {
      name: 'model',
      console: MODEL_CONSOLE,
      marker: new RegExp(`^\\[petri: ${CONNECTED}\\]`),
      deadline: stageBudgets.model,
    },
    onHost('tf-a'),
    onHost('rmm'),
    onHost('host kernel'),
    hostAgentStage(nonce, stageBudgets['host agent']),
  ];
}

/** What the model prints when it cannot continue, and each world on its UART. */
export const crashSignatures: readonly CrashSignature[] = [
  {
    console: MODEL_CONSOLE,
    pattern: /(?:Error|ERROR|FATAL)(?:: | error).{0,80}(?:parameter|open|load|licen[cs]e|file)/,
    meaning: 'the model refused to start',
  },
  {
    console: MODEL_CONSOLE,
    pattern: /licen[cs]e.{0,60}(?:fail|expired|not found|denied)/i,
    meaning: 'the model has no licence',
  },
  ...hostCrashes,
  ...crashesOn('tf-a', tfaCrashes, edk2Crashes),
  ...crashesOn('secure', hafniumCrashes, tfaCrashes),
  ...crashesOn('rmm', rmmConsoleCrashes, rustCrashes),
];
