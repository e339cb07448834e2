import { z } from 'zod';
import { duration } from '../../../../api/duration.ts';

export const imageGc = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe(
        'Whether to look for them. What was pulled before this was switched on stays: nobody knows who has brought it.',
      ),
    grace_period: duration
      .default('24h')
      .describe(
        'How long nobody must have needed an image before it is removed; counted anew by each process.',
      ),
    dry_run: z.boolean().default(true).describe('Whether to tell only what would be removed.'),
  })
  .prefault({})
  .describe(
    'Removes images that Landlord alone has pulled, that nothing is made of, and that no tenant asks for or could roll back to.',
  );
