export const turn = () => new Promise((resolve) => setImmediate(resolve));

/** What comes of a task, as a value: nobody handles the rejection of one that is only looked at later. */
export const outcome = (run: Promise<string> | undefined) =>
  (run ?? Promise.reject(new Error('no run'))).catch(({ message }: Error) => `failed: ${message}`);

/** Tasks that note when they begin, and end when they are told to. */
export function tasks() {
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const task = (name: string) => async (): Promise<string> => {
    begun.push(name);
    await new Promise<void>((resolve, reject) => {
      ends.set(name, (error) => (error === undefined ? resolve() : reject(error)));
    });
    return name;
  };
  const end = async (name: string, error?: Error): Promise<void> => {
    ends.get(name)?.(error);
    await turn();
  };
  return { begun, task, end };
}
