import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { truncateUtf8 } from '../../../src/kube/client/truncate-utf8.ts';

test('cut text is at most so long in UTF-8, and never cut inside a character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 3, max: 40 }), (text, maxBytes) => {
      const cut = truncateUtf8(text, maxBytes);
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(maxBytes);
      const whole = Buffer.byteLength(text) <= maxBytes;
      expect(whole ? cut === text : cut.endsWith('…') && text.startsWith(cut.slice(0, -1))).toBe(true);
    }),
  );
});
