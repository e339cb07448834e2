import type { Dependency } from '../../../../../api/container/lifecycle-fields.ts';

/**
 * What a container waits for, as a label says it: of one that was made for an earlier spec and never started, nothing else
 * tells.
 */

export const orderMark = 'depends_on';

/** `db:Healthy,migrate:Completed`. */
export function orderText(dependsOn: readonly Dependency[]): string {
  return dependsOn.map(({ container, condition = 'Started' }) => `${container}:${condition}`).join(',');
}

export function readOrder(text = ''): readonly Dependency[] {
  return text
    .split(',')
    .filter((one) => one !== '')
    .map((one) => {
      const [container = '', condition] = one.split(':');
      return { container, condition: condition as Dependency['condition'] };
    });
}
