/**
 * One workflow for a list of sites on three clusters. A site is one line in sites.ts.
 *
 *     npx cdk8s-workflows run apps/site-etl site-etl --local --input site=site-a
 */
import { Chart } from 'cdk8s';
import { Fleet, WorkflowController } from 'cdk8s-workflows';
import { SitePlans } from './site-plans.ts';
import { SiteEtl } from './site-etl.ts';
import { sites } from './sites.ts';

const fleet = new Fleet(
  {
    clusters: [
      { name: 'test', labels: { tier: 'test' } },
      { name: 'prod-eu', labels: { tier: 'prod', region: 'eu' }, namespace: 'etl' },
      {
        name: 'prod-us',
        labels: { tier: 'prod', region: 'us' },
        namespace: 'etl',
        podDefaults: {
          spec: { tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'batch', effect: 'NoSchedule' }] },
        },
      },
    ],
  },
  (app) => {
    const etl = new SiteEtl(new Chart(app, 'site-etl'), 'site-etl');
    new SitePlans(new Chart(app, 'plans'), 'plans', { etl, sites });
    new WorkflowController(new Chart(app, 'controller'), 'controller');
  },
);

fleet.synth();
