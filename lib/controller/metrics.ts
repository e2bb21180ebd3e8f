/** What a controller counts. Every method is cheap and never fails. */
export interface Metrics {
  /** A run was taken up, anew or after a restart. */
  runStarted(): void;
  /** A run ended, in this phase. */
  runEnded(phase: 'Succeeded' | 'Failed' | 'Cancelled', seconds: number): void;
  /** A run is no longer worked on, for whatever reason. */
  runReleased(): void;
  /** A step reached a final phase. */
  stepEnded(phase: string): void;
  /** An attempt was created, in so many milliseconds. */
  created(ms: number): void;
  /** A record was written. */
  recordWritten(): void;
  /** A notification was delivered, or a try failed, or it was given up. */
  notification(outcome: NotificationOutcome): void;
  /** A watch broke and is resumed. */
  watchFailed(): void;
  /** Whether this replica leads. */
  leading(leads: boolean): void;
  /** The trigger answered a request, with this status. */
  triggered(status: number): void;
}

/** What came of a notification. */
export type NotificationOutcome = 'delivered' | 'failed' | 'given up';

/** For those that nobody asks. */
export const noMetrics: Metrics = {
  runStarted: () => {},
  runEnded: () => {},
  runReleased: () => {},
  stepEnded: () => {},
  created: () => {},
  recordWritten: () => {},
  notification: () => {},
  watchFailed: () => {},
  leading: () => {},
  triggered: () => {},
};

/** Metrics that can be scraped. */
export interface ScrapedMetrics extends Metrics {
  readonly contentType: string;
  /** In Prometheus' text format. */
  text(): Promise<string>;
}

/** Metrics for Prometheus, under `cdk8s_workflows_`. */
export async function prometheusMetrics(): Promise<ScrapedMetrics> {
  const { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } = await import('prom-client');
  const registers = [new Registry()];
  const name = (rest: string) => `cdk8s_workflows_${rest}`;
  const [registry] = registers as [InstanceType<typeof Registry>];
  collectDefaultMetrics({ register: registry });
  const active = new Gauge({ name: name('runs_active'), help: 'Runs that are being worked on', registers });
  const ended = new Counter({
    name: name('runs_ended_total'),
    help: 'Runs that ended, by phase',
    labelNames: ['phase'],
    registers,
  });
  const duration = new Histogram({
    name: name('run_duration_seconds'),
    help: 'From the start of a run to its end',
    buckets: [1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600],
    registers,
  });
  const steps = new Counter({
    name: name('steps_ended_total'),
    help: 'Steps that ended, by phase',
    labelNames: ['phase'],
    registers,
  });
  const creations = new Histogram({
    name: name('attempt_create_seconds'),
    help: 'From the request to the answer when an attempt is created',
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers,
  });
  const records = new Counter({ name: name('record_writes_total'), help: 'Writes of records', registers });
  const notifications = new Counter({
    name: name('notifications_total'),
    help: 'Notifications that were delivered or given up, and tries that failed, by outcome',
    labelNames: ['outcome'],
    registers,
  });
  const watches = new Counter({ name: name('watch_failures_total'), help: 'Watches and lists that failed', registers });
  const triggered = new Counter({
    name: name('trigger_requests_total'),
    help: 'Requests to the trigger, by the status of the answer',
    labelNames: ['code'],
    registers,
  });
  const leader = new Gauge({ name: name('leader'), help: '1 on the replica that leads', registers });
  return {
    runStarted: () => active.inc(),
    runEnded: (phase, seconds) => {
      ended.inc({ phase });
      duration.observe(seconds);
    },
    runReleased: () => active.dec(),
    stepEnded: (phase) => steps.inc({ phase }),
    created: (ms) => creations.observe(ms / 1000),
    recordWritten: () => records.inc(),
    notification: (outcome) => notifications.inc({ outcome }),
    watchFailed: () => watches.inc(),
    leading: (leads) => leader.set(leads ? 1 : 0),
    triggered: (code) => triggered.inc({ code }),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}
