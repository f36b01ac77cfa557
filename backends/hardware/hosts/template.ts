/** Variables `${name}` in an argument of a launcher. */
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

/** Names in `${…}` that are not variables. */
export function unknownVariables(argument: string): string[] {
  return [...argument.matchAll(reference)].map(([, name = '']) => name).filter((name) => !isVariable(name));
}

/** Substitutes variables in an argument. The result is always one argument, whatever the values contain. */
export function fillTemplate(argument: string, values: TemplateValues): string {
  // One pass: a value that looks like a variable is not substituted again.
  return argument.replace(reference, (whole, name: string) => (isVariable(name) ? values[name] : whole));
}

function isVariable(name: string): name is TemplateVariable {
  return Object.hasOwn(templateVariables, name);
}
