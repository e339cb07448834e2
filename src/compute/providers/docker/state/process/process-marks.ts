import type { Marks, Ownership } from '../../../../ownership.ts';
import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import { describeLive } from '../live-settings.ts';
import type { LiveSettings } from '../live-settings.ts';
import { orderMark, orderText } from './start-order-mark.ts';
import { graceMark } from './stop-grace.ts';

interface Made {
  readonly hash: string;
  readonly live: LiveSettings;
}

/** What a container's labels say of how it is made, of its beginning and of its end. */
export function marksOf(
  { name, image, stopGracePeriodSeconds: grace, dependsOn = [] }: ContainerSpec,
  key: Ownership['key'],
  { hash, live }: Made,
): Marks {
  return {
    [key('container')]: name,
    [key('image')]: image,
    [key('spec_hash')]: hash,
    [key('live')]: describeLive(live),
    ...(grace === undefined ? {} : { [key(graceMark)]: `${grace}` }),
    ...(dependsOn.length === 0 ? {} : { [key(orderMark)]: orderText(dependsOn) }),
  };
}
