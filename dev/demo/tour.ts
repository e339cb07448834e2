import type { Step } from './step.ts';
import { badImage, crashingImage, fixedImage, newImage } from './steps/images.ts';
import { everythingComesUp } from './steps/fleet.ts';
import { foreignContainer } from './steps/foreign-container.ts';
import { killedContainer } from './steps/killed-container.ts';
import { move } from './steps/move.ts';
import { moveToEcs } from './steps/move-to-ecs.ts';
import { rotatedSecret } from './steps/rotated-secret.ts';
import { deletion } from './steps/deletion.ts';

/** The tour through what Landlord promises; each step builds on the ones before it. */
export const tour: readonly Step[] = [
  everythingComesUp,
  killedContainer,
  newImage,
  badImage,
  crashingImage,
  fixedImage,
  move,
  moveToEcs,
  rotatedSecret,
  foreignContainer,
  deletion,
];
