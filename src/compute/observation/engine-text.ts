/** How much of one text of an engine is worked with: more is no message, and may be a tenant's attempt to keep us busy. */
export const maxTextLength = 4096;

/**
 * A text as an engine, a registry or a container wrote it, cut to `maxTextLength` characters. Each way in cuts before
 * anything else looks at the text. Nothing marks the cut, so that what is left of a secret there is the text's end.
 */
export function cutText(text: string): string {
  return text.slice(0, maxTextLength);
}

/** Whether a text says the one and, later on, the other: in linear time, which a pattern with `.*` in between is not. */
export function saysInOrder(text: string, first: RegExp, then: RegExp): boolean {
  const found = first.exec(text);
  return found !== null && then.test(text.slice(found.index + found[0].length));
}
