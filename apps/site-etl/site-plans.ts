import { ServiceAccount } from 'cdk8s-plus-28';
import { LaunchPlanGroup, Schedule } from 'cdk8s-workflows';
import { Construct } from 'constructs';
import type { SiteEtl } from './site-etl.ts';
import type { Site } from './sites.ts';

/** A launch plan for every site, with a service account of its own. */
export class SitePlans extends Construct {
  constructor(scope: Construct, id: string, props: { readonly etl: SiteEtl; readonly sites: readonly Site[] }) {
    super(scope, id);
    const sites = new Map(props.sites.map((site) => [site.name, site]));
    const group = new LaunchPlanGroup(this, 'sites', {
      workflow: props.etl.workflow,
      prefix: 'etl',
      over: { site: [...sites.keys()] },
      timeZone: 'Europe/Berlin',
      overrides: ({ key }) => {
        const { schedule, cluster, backups, alert, active = true } = sites.get(key)!;
        return {
          schedule: Schedule.cron(schedule),
          cluster,
          backups,
          serviceAccount: accountOf(key),
          labels: { 'acme.example/site': key },
          annotations: { 'acme.example/alert': alert },
          suspended: !active,
        };
      },
    });
    for (const [site, plan] of group.plans)
      if (plan.placedHere) new ServiceAccount(this, `${site}-account`, { metadata: { name: accountOf(site) } });
  }
}

const accountOf = (site: string) => `etl-${site}`;
