/** Where kubectl looks when nothing is said. */
export const demoNamespace = 'default';
