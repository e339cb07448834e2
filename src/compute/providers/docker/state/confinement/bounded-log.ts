/** Three files of 10 MB. */
export const boundedLogOptions = { 'max-size': '10m', 'max-file': '3' } as const;
