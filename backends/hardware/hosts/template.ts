/** What `${name}` in an argument of a launcher stands for. */
export const templateVariables = {
  payload: 'path of the uploaded payload, on the host',
  test: 'full name of the test inside the TMK',
  index: 'index of that test',
  folder: 'folder of this launch on the host, which the launcher may write to',
  memory: 'bytes of memory',
  memoryMiB: 'MiB of memory',
  vcpus: 'number of vCPUs',
} as const;

export type TemplateVariable = keyof typeof templateVariables;
export type TemplateValues = Readonly<Record<TemplateVariable, string>>;

const reference = /\$\{([^}]*)\}/g;

/** Names in `${…}` that stand for nothing. */
export function unknownVariables(argument: string): string[] {
  return [...argument.matchAll(reference)].map(([, name = '']) => name).filter((name) => !isVariable(name));
}

/** Fills in an argument. Whatever a value has in it, the result is one argument. */
export function fillTemplate(argument: string, values: TemplateValues): string {
  // One pass: a value that looks like a variable stays as it is.
  return argument.replace(reference, (whole, name: string) => (isVariable(name) ? values[name] : whole));
}

function isVariable(name: string): name is TemplateVariable {
  return Object.hasOwn(templateVariables, name);
}
