import { z } from 'zod';
import { positiveQuantityPattern } from './quantity.ts';

const quantityLength = 32;
const quantityMessage = 'must be a positive Kubernetes quantity such as 500m, 2 or 256Mi';
export const quantity = z
  .union(
    [
      z
        .string()
        .max(quantityLength, quantityMessage)
        .regex(new RegExp(positiveQuantityPattern), quantityMessage),
      z.int(quantityMessage).min(1, quantityMessage),
    ],
    { error: quantityMessage },
  )
  // The apiserver holds strings against pattern and length, and whole numbers against the minimum.
  .meta({
    'x-kubernetes-int-or-string': true,
    pattern: positiveQuantityPattern,
    maxLength: quantityLength,
    minimum: 1,
  });
