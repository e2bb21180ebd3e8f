import type { LogLevel } from '../../controller/log.ts';
import type { CommandModule } from '../command-module.ts';
import { ExitError, exitCodes, UsageError } from '../errors.ts';
import { choiceOption } from '../options.ts';

/** What shells and kubelets call the end by SIGTERM. A Job can tell it from a failed run, and start another driver. */
const INTERRUPTED = 143;

interface Options {
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly job?: string;
  readonly logLevel: LogLevel;
}

/** Sequences one run from within its own pod: what a run's pod template starts. */
export const driverCommand: CommandModule = {
  name: 'driver',
  summary: "sequence one run, in the run's own pod",
  configure(command, context) {
    command
      .option('--kubeconfig <file>', "kubeconfig to use; the pod's service account when left out")
      .option('-n, --namespace <name>', "namespace of the run's Job; $POD_NAMESPACE when left out")
      .option('--job <name>', "the run's Job; $WORKFLOW_JOB when left out")
      .addOption(
        choiceOption('--log-level <level>', 'what is logged', ['debug', 'info', 'warn', 'error']).default('info'),
      )
      .action(async (options: Options) => {
        const { kubeconfig, logLevel, job = context.env.WORKFLOW_JOB } = options;
        if (!job) throw new UsageError('which run? Give --job, or set WORKFLOW_JOB');
        const [{ KubeClient }, { Driver }, { createLogger }, { untilSignal }] = await Promise.all([
          import('../../kube/client.ts'),
          import('../../controller/driver.ts'),
          import('../../controller/log.ts'),
          import('../../controller/until-signal.ts'),
        ]);
        const log = await createLogger({ level: logLevel, format: process.stderr.isTTY ? 'text' : 'json' });
        const client = await KubeClient.fromKubeconfig({
          userAgent: 'cdk8s-workflows/driver',
          ...(kubeconfig !== undefined && { kubeconfig }),
        });
        const namespace = options.namespace ?? context.env.POD_NAMESPACE ?? client.namespace;
        const result = await untilSignal((signal) => new Driver({ client, namespace, job, log }).run(signal));
        log.info('The driver has ended', { job, result });
        if (result === 'succeeded') return;
        throw new ExitError(result === 'failed' ? exitCodes.failed : INTERRUPTED);
      });
  },
};
