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
const volumeForm = /^([A-Za-z0-9][A-Za-z0-9_.-]*|\/[^:\s\p{Cc}]*):\/[^:\p{Cc}]*(:(ro|rw))?$/u;

export const mountLines = z
  .array(z.string().max(1024).regex(volumeForm, 'must be host_or_volume:/container/path, with :ro or :rw'))
  .max(32);

export const labels = stringMap(labelKey, plainValue, 32);
