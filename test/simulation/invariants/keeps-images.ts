import {
  imagesBeforeMark,
  readImagesBefore,
} from '../../../src/compute/providers/docker/state/image/images-before.ts';
import type { Invariant } from './invariant.ts';

export const keepsImages: Invariant = {
  name: 'keepsImages',
  promise: 'an image that a person has brought, or that a Tenant may go back to, is not removed',
  watch(_world, broken) {
    return {
      onEngineChange(engine, { by, call, image }) {
        if (call !== 'removeImage' || image === undefined || by === 'person') return;
        if (engine.brought.has(image)) broken(`${by} removes ${image}, which a person has brought`);
        for (const { name, labels } of engine.containers.values())
          for (const [key, text] of Object.entries(labels))
            if (
              key.endsWith(`.${imagesBeforeMark}`) &&
              readImagesBefore(text)?.includes(`sha256:${image}`) === true
            )
              broken(`${by} removes ${image}, to which ${name} may go back`);
      },
    };
  },
};
