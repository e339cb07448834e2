import type { Tenant } from '../../src/api/tenant.ts';
import type { TestNamespace } from './test-namespace.ts';
import { until } from '../until.ts';

/** The endpoints that a status names. */
export function urlsOf(tenant: Tenant | undefined): string[] {
  return (tenant?.status?.compute?.endpoints ?? []).flatMap(({ url }) => url ?? []);
}

/** What is said there; '' where nobody answers. */
export async function answerOf(url: string): Promise<string> {
  return fetch(url, { signal: AbortSignal.timeout(5000) }).then(
    (response) => response.text(),
    () => '',
  );
}

/** Until the Tenant has one endpoint, and this version of the tests' image answers there. */
export async function untilAnswers(ns: TestNamespace, name: string, version: string): Promise<void> {
  await until(`version ${version} of ${name} answers`, async () => {
    const replies = await Promise.all(urlsOf(await ns.get(name)).map(answerOf));
    return replies.length === 1 && replies[0] === `version ${version}\n`;
  });
}
