import fc from 'fast-check';

/**
 * Laws are tried on the same values every time, so that a change that fails is the change's fault. `FAST_CHECK_SEED=2` draws others, which
 * is worth doing before a release: what it finds becomes a test of its own.
 */
fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED ?? 1) });
