/** Where kubectl looks when nothing is said. */
export const NAMESPACE = 'default';
