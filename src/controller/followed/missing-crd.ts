import type { Logger } from 'pino';
import { group, plural, version } from '../../api/names.ts';

const crd = `${plural}.${group}`;

/** What is wrong while the apiserver serves no Tenants, and what mends it. */
export const crdMissing =
  `the CRD ${crd} is not installed, or does not have the version ${version}: ` +
  `kubectl apply -f crds/${group}_${plural}.yaml`;

/**
 * Says once that the CRD is missing, and once that it is there again, however many watches tell of it: each of them
 * finds out for itself, and later than the first.
 */
export function tellOfMissingCrd(logger: Logger): (isServed: boolean) => void {
  let isTold = false;
  return (isServed) => {
    if (isServed !== isTold) return;
    isTold = !isServed;
    if (isServed) logger.info(`the CRD ${crd} is installed: Tenants are followed`);
    else logger.warn(`${crdMissing}; until then, what runs is left as it is`);
  };
}
