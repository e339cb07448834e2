import { z } from 'zod';
import { plainValue } from '../../../../api/bounded.ts';
import { stringMap } from '../../../../api/rules.ts';
import type { MapKey } from '../../../../api/rules.ts';

/** What the containers of a tenant have together, and each may have besides. */

const labelKey: MapKey = {
  pattern: /^[^\s\p{Cc}]+$/u,
  maxLength: 128,
  message: 'must be 1 to 128 characters without blanks and control characters',
};

/** A volume's name is what the engine takes for one. */
const volumeForm =
  /^([A-Za-z0-9][A-Za-z0-9_.-]*|\/(?: |[^:\s\p{Cc}])*):\/[^:\p{Cc}]*(:(ro|rw|z|Z|nocopy|r?slave|r?private)(,(ro|rw|z|Z|nocopy|r?slave|r?private)){0,3})?$/u;

export const mountLines = z
  .array(
    z
      .string()
      .max(1024)
      .regex(
        volumeForm,
        'must be host_or_volume:/container/path, with :ro or :rw, and by commas z or Z, nocopy, slave or private',
      ),
  )
  .max(32);

export const labels = stringMap(labelKey, plainValue, 32);
