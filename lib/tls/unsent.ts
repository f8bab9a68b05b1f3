// What was written and is not encrypted yet, in order, because the plain socket has enough to send.
interface Part {
  readonly bytes: Uint8Array;
  /** Its length when it was written: memory that was transferred or shrunk since is found out. */
  readonly length: number;
}

export class UnsentBytes {
  bytes = 0;
  #parts: Part[] = [];
  #first = 0;
  /** Bytes of the first part that were taken. */
  #taken = 0;

  get empty(): boolean {
    return this.bytes === 0;
  }

  /** @param copied whether the memory is the caller's again at once. */
  push(bytes: Uint8Array, copied: boolean): void {
    if (bytes.length === 0) return;
    this.#parts.push({ bytes: copied ? Uint8Array.from(bytes) : bytes, length: bytes.length });
    this.bytes += bytes.length;
  }

  /** The next bytes, at most `limit`; null when their memory is not there any more. */
  next(limit: number): Uint8Array | null {
    const { bytes, length } = this.#parts[this.#first] as Part;
    if (bytes.length < length) return null;
    const part = bytes.subarray(this.#taken, Math.min(length, this.#taken + limit));
    this.#taken += part.length;
    this.bytes -= part.length;
    if (this.#taken === length) this.#drop();
    return part;
  }

  #drop(): void {
    this.#taken = 0;
    this.#first++;
    if (this.#first * 2 < this.#parts.length) return;
    this.#parts = this.#parts.slice(this.#first);
    this.#first = 0;
  }
}
