/** As it is written in an option of QEMU, where a comma begins the next value. */
export function optionValue(text: string): string {
  return text.replaceAll(',', ',,');
}
