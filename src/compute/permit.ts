declare const consent: unique symbol;

/**
 * Consent to change what runs. Every operation of a provider that may start, stop, replace or remove something takes
 * one, so that no code path can act without having been handed it.
 */
export interface Permit {
  readonly [consent]: 'granted';
}

/** Consent to everything: what the desired state asks for is done as soon as it can be. */
export const permitAll = Object.freeze({}) as Permit;
