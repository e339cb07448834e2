import { drainMark } from './edge/drain.ts';
import { imagesBeforeMark } from './image/images-before.ts';
import { aliasesMark } from './network/foreign-aliases.ts';
import { networksMark } from './network/foreign-networks.ts';
import { hostPortsMark } from './network/host-ports.ts';
import { orderMark } from './process/start-order-mark.ts';
import { graceMark } from './process/stop-grace.ts';
import { releaseMark } from './release/release-mark.ts';

/** The marks among a container's labels: nothing is asked of any other. */
export const containerMarks: ReadonlySet<string> = new Set([
  'owner',
  'cluster',
  'provider',
  'tenant_id',
  'tenant_namespace',
  'tenant_name',
  'tenant_uid',
  'container',
  'image',
  'spec_hash',
  'live',
  hostPortsMark,
  networksMark,
  aliasesMark,
  graceMark,
  orderMark,
  releaseMark,
  drainMark,
  imagesBeforeMark,
]);
