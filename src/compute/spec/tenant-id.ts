import { createHash } from 'node:crypto';

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** 63 characters of a DNS label less `-` and 8 hex digits. */
const prefixLength = 54;

/** `NAMESPACE-NAME`, or, where that is no DNS label, its sanitised start and a hash that keeps it unique. */
export function defaultTenantId(namespace: string, name: string): string {
  const id = `${namespace}-${name}`;
  if (dnsLabel.test(id)) return id;
  const hash = createHash('sha256').update(`${namespace}/${name}`).digest('hex').slice(0, 8);
  const sanitised = id
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .slice(0, prefixLength)
    .replace(/^-+/, '');
  return `${sanitised}-${hash}`;
}
