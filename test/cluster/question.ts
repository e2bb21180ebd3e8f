// Runs in a pod: asks the API server who this is, as the controller's client does, and prints the answer.
import { readFileSync } from 'node:fs';

const account = '/var/run/secrets/kubernetes.io/serviceaccount';
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
const response = await fetch(`https://${host}:${port}/apis/authentication.k8s.io/v1/selfsubjectreviews`, {
  method: 'POST',
  headers: {
    authorization: `Bearer ${readFileSync(`${account}/token`, 'utf8')}`,
    'content-type': 'application/json',
  },
  body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
});
const review = (await response.json()) as { status?: { userInfo: { username: string } } };
console.log(JSON.stringify({ uid: process.getuid?.(), user: review.status?.userInfo.username ?? review }));
