import { abortable } from '../../src/async/abortable.ts';

/** An operator's process, as far as the world notices: once it is dead, nothing that it does has an effect. */
export interface Process {
  readonly name: string;
  readonly isAlive: boolean;
  /** Goes on at once; of a dead process, only its own signal ends the wait. */
  livesOn(signal?: AbortSignal): Promise<void> | void;
  kill(): void;
}

export function createProcess(name: string): Process {
  let isAlive = true;
  return {
    name,
    get isAlive() {
      return isAlive;
    },
    livesOn: (signal) => (isAlive ? undefined : signal === undefined ? never() : abortable(never(), signal)),
    kill: () => void (isAlive = false),
  };
}

function never(): Promise<never> {
  return new Promise<never>(() => undefined);
}
