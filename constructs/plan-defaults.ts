import { annotations } from '../lib/graph/labels.ts';
import type { EnvironmentValue } from '../lib/pods/settings/environment.ts';
import { objectName } from '../lib/pods/settings/object-name.ts';
import type { JsonObject } from '../lib/values/json.ts';
import { clusterOf, namespaceOf } from './cluster.ts';
import type { RunDefaults } from './launch-plan-settings.ts';
import { wireNotification, type Notifications } from './notification.ts';
import { noteSecrets } from './notification-secrets.ts';
import { NotificationTarget } from './notification-target.ts';
import { defaultLevels } from './plan-levels.ts';
import { retryPolicy } from './retries.ts';
import { rightSettings } from './setting-kinds.ts';
import { seconds, serviceAccountName } from './settings.ts';
import type { AnyWorkflow } from './workflow.ts';

/**
 * What the fleet and a workflow say of its plans, as an annotation of its graph: programs register plans where nobody synthesizes. It is beside the
 * graph and not in it, so that another default makes no other version.
 */
export function planDefaultsNote(workflow: AnyWorkflow): Record<string, string> {
  const cluster = clusterOf(workflow)?.name;
  const levels = defaultLevels(workflow, workflow).map(({ name, settings }) => {
    const { settings: right } = rightSettings(settings);
    noteSecrets({ construct: workflow, namespace: namespaceOf(workflow) }, secretsOf(right.notifications));
    return [name, asRegistered(right)] as const;
  });
  const said = levels.filter(([, settings]) => Object.keys(settings).length > 0);
  if (said.length === 0) return {};
  const defaults = { ...(cluster !== undefined && { cluster }), ...Object.fromEntries(said) };
  // The variables of a container stay in their order.
  return { [annotations.planDefaults]: JSON.stringify(defaults) };
}

/** Settings as `PlanRegistration` of the client has them: in seconds and names. */
function asRegistered(settings: RunDefaults): JsonObject {
  const { timeout, ttlAfterFinished, startingDeadline, serviceAccount, driver, retries, env, notifications, ...same } =
    settings;
  const registered = {
    ...same,
    ...(timeout && { timeoutSeconds: seconds(timeout) }),
    ...(ttlAfterFinished && { ttlSecondsAfterFinished: seconds(ttlAfterFinished) }),
    ...(startingDeadline && { startingDeadlineSeconds: seconds(startingDeadline) }),
    serviceAccount: serviceAccountName(serviceAccount),
    driver:
      typeof driver === 'object' ? { ...driver, serviceAccount: serviceAccountName(driver.serviceAccount) } : driver,
    retries: retryPolicy(retries),
    env: env && mapped(env, (value) => value && named(value)),
    notifications:
      notifications &&
      mapped(told(notifications), (props) => {
        if (props === false) return false;
        const { plans, labels } = props;
        return { ...wireNotification(props), plans, labels };
      }),
  };
  return JSON.parse(JSON.stringify(registered)) as JsonObject;
}

/** Constructs of cdk8s-plus as their names. */
function named(value: EnvironmentValue): EnvironmentValue {
  if (typeof value !== 'object') return value;
  if ('secret' in value) return { ...value, secret: objectName(value.secret) };
  return 'configMap' in value ? { ...value, configMap: objectName(value.configMap) } : value;
}

/** But for those that a plan is told to be none. */
function told(notifications: Notifications): Notifications {
  const all = Object.entries(notifications);
  return Object.fromEntries(all.filter(([, props]) => props === false || props.to instanceof NotificationTarget));
}

function secretsOf(notifications: Notifications = {}): readonly string[] {
  return Object.values(told(notifications)).flatMap((props) => (props === false ? [] : props.to.parts.secrets));
}

function mapped<V, R>(map: Readonly<Record<string, V>>, change: (value: V) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}
