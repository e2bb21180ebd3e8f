import fc, { type GeneratorValue } from 'fast-check';

/** Choices of fast-check that later ones depend on. Each shrinks towards the first, the smallest, the absent. */
export class Draw {
  readonly #gen: GeneratorValue;

  constructor(gen: GeneratorValue) {
    this.#gen = gen;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.#gen(fc.nat, { max: values.length - 1 })]!;
  }

  /** Yes once in `n`. */
  oneIn(n: number): boolean {
    return n <= 1 || this.#gen(fc.nat, { max: n - 1 }) === n - 1;
  }

  upTo(max: number): number {
    return this.#gen(fc.nat, { max });
  }

  /** Some of the values, in their order: about `expected` of them. */
  some<T>(values: readonly T[], expected: number): T[] {
    return values.filter(() => this.oneIn(Math.ceil(values.length / expected)));
  }

  shuffled<T>(values: readonly T[]): T[] {
    const left = [...values];
    return values.map(() => left.splice(this.upTo(left.length - 1), 1)[0]!);
  }
}

/** Something made by drawing. */
export function drawn<T>(make: (draw: Draw) => T): fc.Arbitrary<T> {
  return fc.gen().map((gen) => make(new Draw(gen)));
}
