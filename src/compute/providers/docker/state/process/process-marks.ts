import type { Marks, Ownership } from '../../../../ownership.ts';
import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import { orderMark, orderText } from './start-order-mark.ts';
import { graceMark } from './stop-grace.ts';

/** What a container's labels say of its beginning and its end, where its spec does. */
export function processMarks(
  { stopGracePeriodSeconds: grace, dependsOn = [] }: ContainerSpec,
  key: Ownership['key'],
): Marks {
  return {
    ...(grace === undefined ? {} : { [key(graceMark)]: `${grace}` }),
    ...(dependsOn.length === 0 ? {} : { [key(orderMark)]: orderText(dependsOn) }),
  };
}
