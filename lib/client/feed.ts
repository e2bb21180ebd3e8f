/** What is put in comes out in order, when it is asked for. */
export class Feed<T> implements AsyncIterable<T> {
  readonly #items: T[] = [];
  #over: { readonly error?: unknown } | undefined;
  #wake = Promise.withResolvers<void>();

  put(item: T): void {
    this.#items.push(item);
    this.#wake.resolve();
  }

  /** Nothing more comes. */
  end(): void {
    this.#over ??= {};
    this.#wake.resolve();
  }

  /** Nothing more comes, for this reason, which is thrown after what there is. */
  fail(error: unknown): void {
    this.#over ??= { error };
    this.#wake.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      while (this.#items.length > 0) yield this.#items.shift()!;
      if (this.#over !== undefined) {
        if ('error' in this.#over) throw this.#over.error;
        return;
      }
      await this.#wake.promise;
      this.#wake = Promise.withResolvers<void>();
    }
  }
}
