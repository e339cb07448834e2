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

/** Stands for a value that nobody has read: it is that of before, and what was made of it is remembered. */
export class UnreadSecret extends SecretValue {
  constructor() {
    super('');
  }

  /** Throws: who needs the value has to read it. */
  override reveal(): string {
    throw new Error('the value of a Secret is needed, and was not read');
  }
}
