const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

const PART = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/gy;

/** A duration as Go's time.ParseDuration takes it, such as `1h30m`, `1.5h` or `-5s`, in seconds; nothing for what it refuses. */
export function goDurationSeconds(text: string): number | undefined {
  const [, sign, rest] = /^([+-]?)(.*)$/s.exec(text)!;
  if (rest === '0') return 0;
  let total = 0n;
  let end = 0;
  PART.lastIndex = 0;
  for (let part; end < rest!.length && (part = PART.exec(rest!)); end = PART.lastIndex) {
    const [, whole = '', fraction = '', unit = ''] = part;
    if (whole === '' && fraction === '') return undefined;
    const of = NANOSECONDS[unit]!;
    total += BigInt(whole || 0) * BigInt(of) + BigInt(Math.trunc(Number(`0.${fraction || 0}`) * of));
  }
  const limit = sign === '-' ? 1n << 63n : (1n << 63n) - 1n;
  if (rest === '' || end < rest!.length || total > limit) return undefined;
  return (Number(total / 1_000_000n) / 1000) * (sign === '-' ? -1 : 1);
}
