/** Shorter values are too likely to be a part of ordinary words; they say little, too. */
const shortestSecret = 4;

/** `text` without any of `secrets`: an engine or a health probe may repeat what it was given. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .filter(({ length }) => length >= shortestSecret)
    .toSorted((a, b) => b.length - a.length)
    .reduce((clean, secret) => clean.replaceAll(secret, '[redacted]'), text);
}
