import { z } from 'zod';

/** The keys of the sketch: what a tenant may say, and what only the operator. */

const tenantShape = { greeting: z.string().max(256).optional().describe('What the tenant says.') };

export const folderTenantBlock = z.strictObject(tenantShape).describe('A file per tenant.');
export const folderOperatorBlock = z
  .strictObject({ ...tenantShape, path: z.string().min(1).describe('The folder.') })
  .describe('Enables the folder provider.');
export type FolderConfig = z.output<typeof folderTenantBlock>;
export const folderSharedKeys = Object.keys(tenantShape);
