/** Shares of the cases in which something goes wrong, from 0 to 1. */
export interface Faults {
  /** The shell dies before or after a write or a command. */
  readonly crash?: number;
  /** A write or a command is answered with 429 or 5xx; it is repeated later. */
  readonly refuse?: number;
  /** A write or a command takes effect, but its answer does not arrive; it is repeated later. */
  readonly unanswered?: number;
  /** At an event, a second shell takes over while the first one still believes that it leads. */
  readonly depose?: number;
  /** An observation does not arrive; the next list has it. */
  readonly lose?: number;
  /** An observation arrives some time later, when what it says may no longer be so. */
  readonly late?: number;
  /** Something that was seen before is seen again. */
  readonly repeat?: number;
  /** At an event, the watch is answered with 410: nothing is seen until the next list. */
  readonly expire?: number;
  /** At an event, a pod is deleted by somebody. */
  readonly remove?: number;
  /** At an event, a pod is evicted. */
  readonly evict?: number;
  /** At an event, a pod that runs is replaced by another one, as that of a Job may be: the attempt goes on. */
  readonly replace?: number;
  /** At an event, a node is lost with half of the pods. */
  readonly loseNode?: number;
  /** At an event, an attempt that was deleted is created again, or one that nobody asked for after another, as by a shell that led before and is late. No model can tell what becomes of it. */
  readonly stray?: number;
  /** A pod is Pending for ten minutes. */
  readonly stuck?: number;
  /** A kept result is deleted before it is looked up. */
  readonly forget?: number;
  /** At an event, the shell's clock jumps by up to five minutes either way. */
  readonly jump?: number;
}
