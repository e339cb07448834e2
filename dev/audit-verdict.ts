export interface AuditVerdict {
  readonly isClean: boolean;
  readonly message: string;
}

interface AuditReport {
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity: string }>>;
}

/** What `npm audit --json` has printed comes to. No report is no finding. */
export function auditVerdict(printed: string): AuditVerdict {
  const { vulnerabilities } = parsed(printed);
  if (vulnerabilities === undefined) {
    return {
      isClean: true,
      message: 'audit: the registry gives no report; nothing is known of the dependencies',
    };
  }
  const all = Object.entries(vulnerabilities).map(([name, { severity }]) => `${name} (${severity})`);
  const isClean = !Object.values(vulnerabilities).some(({ severity }) =>
    ['high', 'critical'].includes(severity),
  );
  return { isClean, message: `audit: ${all.length === 0 ? 'no known faults' : all.join(', ')}` };
}

function parsed(printed: string): AuditReport {
  try {
    return (JSON.parse(printed) ?? {}) as AuditReport;
  } catch {
    return {};
  }
}
