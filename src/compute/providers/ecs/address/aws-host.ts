/** Whether an endpoint is of AWS itself: its own endpoints in a VPC bear its name, too. Undefined: the region's. */
export function isAws(endpoint: string | undefined): boolean {
  if (endpoint === undefined) return true;
  return /\.(amazonaws\.(com|com\.cn|eu)|api\.aws)$/.test(new URL(endpoint).hostname);
}
