import { exitCodes, ExitError } from '../errors.ts';

/**
 * Runs work that Ctrl-C ends in an orderly way: the signal is aborted with an error that leads to exit code 130. A second Ctrl-C
 * ends the process at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onSignal = (): void => {
    release();
    controller.abort(new ExitError(exitCodes.interrupted));
  };
  const release = (): void => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    return await work(controller.signal);
  } finally {
    release();
  }
}
