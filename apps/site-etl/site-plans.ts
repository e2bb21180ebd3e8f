import { ServiceAccount } from 'cdk8s-plus-28';
import { LaunchPlan, Schedule } from 'cdk8s-workflows';
import { Construct } from 'constructs';
import type { SiteEtl } from './site-etl.ts';
import type { Site } from './sites.ts';

/** A launch plan for every site, with a service account of its own. */
export class SitePlans extends Construct {
  constructor(scope: Construct, id: string, props: { readonly etl: SiteEtl; readonly sites: readonly Site[] }) {
    super(scope, id);
    for (const { name, schedule, cluster, alert, active = true } of props.sites) {
      const serviceAccount = `etl-${name}`;
      const plan = new LaunchPlan(this, `etl-${name}`, {
        workflow: props.etl.workflow,
        fixedInputs: { site: name },
        schedule: Schedule.cron(schedule),
        timeZone: 'Europe/Berlin',
        cluster,
        serviceAccount,
        labels: { 'acme.example/site': name },
        annotations: { 'acme.example/alert': alert },
        suspended: !active,
      });
      if (plan.placedHere) new ServiceAccount(this, `${name}-account`, { metadata: { name: serviceAccount } });
    }
  }
}
