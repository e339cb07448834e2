/** `metav1.MicroTime`: RFC 3339 with exactly six decimals, as leases and events want it. */
export function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
