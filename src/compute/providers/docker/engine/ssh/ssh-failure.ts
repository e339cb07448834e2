/** The last thing that ssh said is what it ended for. */
export function lastLine(said: string): string {
  return said.trim().split('\n').at(-1)?.trim() ?? '';
}

export function sshFailure(said: string): Error {
  const words = said === '' ? 'it ended without a word' : said;
  return Object.assign(new Error(`ssh: ${words}`), { code: 'ESSH' });
}
