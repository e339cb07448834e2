/** Values in the order in which they came. Any of them is taken out in constant time, wherever it stands. */
export interface Chain<T> {
  push(value: T): Link<T>;
  /** Once for each link. */
  drop(link: Link<T>): void;
  readonly first: Link<T> | undefined;
}

export interface Link<T> {
  readonly value: T;
  before: Link<T> | undefined;
  after: Link<T> | undefined;
}

export function createChain<T>(): Chain<T> {
  let first: Link<T> | undefined;
  let last: Link<T> | undefined;
  return {
    push(value) {
      const link: Link<T> = { value, before: last, after: undefined };
      if (last === undefined) first = link;
      else last.after = link;
      last = link;
      return link;
    },
    drop({ before, after }) {
      if (before === undefined) first = after;
      else before.after = after;
      if (after === undefined) last = before;
      else after.before = before;
    },
    get first() {
      return first;
    },
  };
}
