import type { ClusterSelector } from 'cdk8s-workflows';

/** A place that data is fetched from. */
export interface Site {
  readonly name: string;
  readonly schedule: string;
  readonly cluster: ClusterSelector;
  /** Where it can go when its cluster is lost. @default nowhere */
  readonly backups?: readonly ClusterSelector[];
  /** Whom a failure is reported to. */
  readonly alert: string;
  /** Switches the site off. @default true */
  readonly active?: boolean;
}

const prod: ClusterSelector = { matchLabels: { tier: 'prod' } };

export const sites: readonly Site[] = [
  { name: 'site-a', schedule: '0 */6 * * *', cluster: { matchLabels: { region: 'eu' } }, alert: 'data-eu' },
  { name: 'site-b', schedule: '15 */6 * * *', cluster: { matchLabels: { region: 'us' } }, alert: 'data-us' },
  { name: 'site-c', schedule: '30 2 * * *', cluster: prod, backups: [prod], alert: 'data-eu' },
  { name: 'site-d', schedule: '45 2 * * *', cluster: 'test', alert: 'platform', active: false },
];
