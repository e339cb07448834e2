import { HashKey } from '../../src/compute/spec/spec-hash.ts';

/** The installation's, for tests that need one and don't care which. */
export const hashKey = new HashKey(new Uint8Array(32).fill(7));

/** Another installation's, or the same one's once it has lost its key. */
export const otherKey = new HashKey(new Uint8Array(32).fill(8));
