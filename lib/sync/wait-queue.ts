// Who waits, in order of arrival. The operations themselves are the links, so that entering, leaving and being served
// cost the same however many wait, and nothing is allocated.
//
// A type that serves its waiters must have brought its own state up to date before it fulfils one: fulfilling the arm of
// a `select` cancels the other arms, which may lead back into the same type. No user code runs in there.

/** What can stand in a {@link WaitQueue}; in at most one at a time. */
export interface Linked<N> {
  /** @internal */ previous: N | null;
  /** @internal */ following: N | null;
}

/** A FIFO that anyone can leave at any time. */
export class WaitQueue<N extends Linked<N>> {
  first: N | null = null;
  last: N | null = null;
  size = 0;

  push(node: N): void {
    const last = this.last;
    node.previous = last;
    if (last === null) this.first = node;
    else last.following = node;
    this.last = node;
    this.size++;
  }

  shift(): N | null {
    const first = this.first;
    if (first !== null) this.remove(first);
    return first;
  }

  /** `node` must be in this queue. */
  remove(node: N): void {
    const { previous, following } = node;
    if (previous === null) this.first = following;
    else previous.following = following;
    if (following === null) this.last = previous;
    else following.previous = previous;
    node.previous = null;
    node.following = null;
    this.size--;
  }
}
