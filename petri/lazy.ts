/**
 * What is made when it is first asked for, and once: asking for a module again costs turns of the event loop, even
 * where it is there. What failed is tried again.
 */
export function lazy<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
