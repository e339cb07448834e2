/** What is sent over a transport, of which none may take all sockets of another. */
export type EngineTraffic =
  /** Answered at once: over sockets that are kept for the next call. */
  | 'calls'
  /** Answered once something has ended, which takes its time. */
  | 'ends'
  /** Each on a new socket, which it holds for as long as it lasts. */
  | 'streams';
