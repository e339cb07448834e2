import { describe, expect, test } from 'vitest';
import {
  imagesBefore,
  imagesBeforeText,
  readImagesBefore,
  toldBefore,
} from '../../../../../../src/compute/providers/docker/state/image/images-before.ts';

describe('the images before', () => {
  const made = (imageId: string, before?: readonly string[]) => ({ imageId, made: { imagesBefore: before } });

  test('are the last two others, and those of before where the image stays', () => {
    expect(imagesBefore('c', undefined)).toEqual([]);
    expect(imagesBefore('c', made('b'))).toEqual(['b']);
    expect(imagesBefore('d', made('c', ['b', 'a']))).toEqual(['c', 'b']);
    expect(imagesBefore('c', made('c', ['b', 'a']))).toEqual(['b', 'a']);
    expect(imagesBefore('b', made('c', ['b', 'a']))).toEqual(['c', 'a']);
    expect(imagesBefore('b', made(''))).toEqual([]);
  });

  test('are read as they were written, under whichever prefix', () => {
    expect(readImagesBefore(imagesBeforeText(['b', 'a']))).toEqual(['b', 'a']);
    expect(readImagesBefore(undefined)).toBeUndefined();
    expect(
      toldBefore({ 'landlord.images_before': 'b', 'other.images_before': 'a', 'app.image': 'c' }),
    ).toEqual(['b', 'a']);
  });
});
