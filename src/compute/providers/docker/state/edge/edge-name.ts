/** What a status calls the tenant's proxy. No container of a spec has a period in its name. */
export const edgeName = 'edge.proxy';

export function isEdge({ name }: { readonly name: string }): boolean {
  return name === edgeName;
}
