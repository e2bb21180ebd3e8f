import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A certificate and its private key, as PEM files. */
export interface KeyPair {
  readonly certFile: string;
  readonly keyFile: string;
}

/** What a control plane needs to be trusted, and to sign the tokens of service accounts. */
export interface Certificates {
  readonly caFile: string;
  readonly server: KeyPair;
  /** With which the API server introduces itself to a kubelet. */
  readonly kubeletClient: KeyPair;
  readonly serviceAccountKeyFile: string;
  readonly serviceAccountPublicKeyFile: string;
}

/**
 * Makes an authority of its own and all certificates of one control plane in `directory`, with the `openssl` command.
 *
 * @param names host names and addresses by which the API server is called
 */
export async function makeCertificates(directory: string, names: readonly string[]): Promise<Certificates> {
  const file = (name: string): string => join(directory, name);
  const accounts = { keyFile: file('service-accounts.key'), publicKeyFile: file('service-accounts.pub') };
  const [ca] = await Promise.all([selfSigned(directory, 'ca', '/CN=test-cluster-ca'), serviceAccountKey(accounts)]);
  const [server, kubeletClient] = await Promise.all([
    signed(directory, 'apiserver', '/CN=kube-apiserver', ca, [`subjectAltName=${names.map(alternative).join(',')}`]),
    signed(directory, 'kubelet-client', '/O=system:masters/CN=kube-apiserver-kubelet-client', ca, [
      'extendedKeyUsage=clientAuth',
    ]),
  ]);
  return {
    caFile: ca.certFile,
    server,
    kubeletClient,
    serviceAccountKeyFile: accounts.keyFile,
    serviceAccountPublicKeyFile: accounts.publicKeyFile,
  };
}

/** A certificate that vouches for itself: an authority, or a server that nobody verifies. */
export async function selfSigned(directory: string, name: string, subject: string): Promise<KeyPair> {
  return request(directory, name, subject, []);
}

async function signed(
  directory: string,
  name: string,
  subject: string,
  ca: KeyPair,
  extensions: readonly string[],
): Promise<KeyPair> {
  const extra = ['basicConstraints=critical,CA:FALSE', ...extensions].flatMap((extension) => ['-addext', extension]);
  return request(directory, name, subject, ['-CA', ca.certFile, '-CAkey', ca.keyFile, ...extra]);
}

async function request(directory: string, name: string, subject: string, extra: readonly string[]): Promise<KeyPair> {
  const pair = { certFile: join(directory, `${name}.crt`), keyFile: join(directory, `${name}.key`) };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-keyout', pair.keyFile];
  await openssl(['req', '-x509', '-days', '30', '-subj', subject, ...key, ...extra, '-out', pair.certFile]);
  return pair;
}

async function serviceAccountKey(files: { readonly keyFile: string; readonly publicKeyFile: string }): Promise<void> {
  await openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', files.keyFile]);
  await writeFile(files.publicKeyFile, await openssl(['pkey', '-in', files.keyFile, '-pubout']));
}

async function openssl(args: readonly string[]): Promise<string> {
  try {
    return (await run('openssl', args)).stdout;
  } catch (cause) {
    throw new Error(`openssl ${args[0]} failed: ${(cause as { stderr?: string }).stderr ?? 'not installed?'}`, {
      cause,
    });
  }
}

function alternative(name: string): string {
  return isIP(name) === 0 ? `DNS:${name}` : `IP:${name}`;
}
