import { refused } from './options-asking.ts';
import type { OptionsAsking } from './options-asking.ts';

/** Whether setuid programs give rights in it; `ofAll`: in every one. Throws PolicyDenied, naming the rule. */
export function newPrivilegesOf(asking: OptionsAsking, ofAll: boolean): boolean {
  const last = (options: readonly string[] = []) => options.findLast(isAboutPrivileges);
  const said = last(asking.asked.security_opt);
  if (said === undefined) return ofAll;
  if (!said.endsWith('false')) return false;
  if (ofAll || asking.policy.allow_setuid || last(asking.own.security_opt) === said) return true;
  throw refused(asking, 'allow_setuid', `security_opt ${said} is not allowed`);
}

export function isAboutPrivileges(option: string): boolean {
  return option.startsWith('no-new-privileges');
}
