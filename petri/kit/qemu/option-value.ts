/** Escapes a value of a QEMU option, in which a comma starts the next value. */
export function optionValue(text: string): string {
  return text.replaceAll(',', ',,');
}
