import { effects } from '../api/status.ts';
import type { Effect } from '../api/status.ts';
import { ComputeError } from './errors.ts';

declare const upTo: unique symbol;
declare const given: unique symbol;

/**
 * Consent to change what runs, up to an effect. The controller's gate alone makes it, from what was announced and
 * approved; every operation of a provider that may start, stop, replace or remove something takes it.
 */
export interface Permit {
  readonly [upTo]: Effect;
}

/**
 * Consent to one call. Each call to an engine that stops, replaces or removes something takes it as an argument, so
 * that a code path which has none does not compile.
 */
export interface Consent {
  readonly [given]: Effect;
}

const permits = new WeakMap<Permit, Effect>();
const consents = new WeakMap<Consent, Effect>();

/** For the gate alone: whoever else could make one could do what nobody consented to. */
export function permitUpTo(effect: Effect): Permit {
  const permit = Object.freeze({}) as Permit;
  permits.set(permit, effect);
  return permit;
}

export function allows(permit: Permit, effect: Effect): boolean {
  const granted = permits.get(permit);
  return granted !== undefined && !isWorse(effect, granted);
}

/** What is to be done has a worse effect than what was consented to. It was not done; it is to be announced. */
export class BeyondConsent extends ComputeError {
  readonly what: string;
  readonly effect: Effect;

  constructor(what: string, effect: Effect) {
    super(
      'ApprovalRequired',
      `${what} has the effect ${effect}, which was not announced: it is planned anew`,
    );
    this.what = what;
    this.effect = effect;
  }
}

/** Throws BeyondConsent where the effect is worse than what was consented to. */
export function consentTo(permit: Permit, effect: Effect, what: string): Consent {
  if (allows(permit, effect)) {
    const consent = Object.freeze({}) as Consent;
    consents.set(consent, effect);
    return consent;
  }
  throw new BeyondConsent(what, effect);
}

/** Whether the consent was given to this effect, and not only to a lesser one. */
export function covers(consent: Consent, effect: Effect): boolean {
  const given = consents.get(consent);
  return given !== undefined && !isWorse(effect, given);
}

export function isWorse(effect: Effect, than: Effect): boolean {
  return effects.indexOf(effect) > effects.indexOf(than);
}

export function worstEffect(some: readonly Effect[]): Effect {
  return some.reduce<Effect>((worst, effect) => (isWorse(effect, worst) ? effect : worst), 'live');
}
