import { inspect } from 'node:util';

const redacted = '[redacted]';

/** A value that must appear nowhere: whatever prints, logs or serialises it gets `[redacted]`. */
export class SecretValue {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Call it only where it goes into the body of a request to an engine. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}
