import { consentTo, permitUpTo } from '../../src/compute/permit.ts';

/** For tests that are not about consent. */
export const anyPermit = permitUpTo('data-loss');
export const anyConsent = consentTo(anyPermit, 'data-loss', 'a test');
