import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ControlPlane, ControlPlaneOptions } from './control-plane.ts';
import { readConnection, writeImpersonatingConfig } from './kubeconfig.ts';
import { type Kubectl, kubectlFor } from './kubectl.ts';
import { SimulatedNode } from './simulated-node.ts';

/** The cluster of `TEST_KUBECONFIG`. It is used as it is; its processes are out of reach. */
export class ExternalControlPlane implements ControlPlane {
  readonly kubeconfigPath: string;
  readonly server: string;
  readonly caFile: string;
  readonly adminToken: string;
  readonly directory: string;
  readonly kubectl: Kubectl;
  simulatedNode: SimulatedNode | undefined;

  static async connect(
    kubeconfigPath: string,
    { name = 'cluster', nodes }: ControlPlaneOptions,
  ): Promise<ControlPlane> {
    const connection = await readConnection(kubeconfigPath);
    const directory = await mkdtemp(join(tmpdir(), `cdk8s-workflows-${name}-`));
    const caFile = join(directory, 'ca.crt');
    await writeFile(caFile, connection.ca ?? '');
    const plane = new ExternalControlPlane(
      kubeconfigPath,
      connection.server,
      caFile,
      connection.token ?? '',
      directory,
    );
    if (nodes !== undefined) {
      const options = typeof nodes === 'number' ? { count: nodes } : nodes;
      plane.simulatedNode = await SimulatedNode.start({ ...options, kubeconfigPath });
    }
    return plane;
  }

  private constructor(kubeconfigPath: string, server: string, caFile: string, adminToken: string, directory: string) {
    this.kubeconfigPath = kubeconfigPath;
    this.server = server;
    this.caFile = caFile;
    this.adminToken = adminToken;
    this.directory = directory;
    this.kubectl = kubectlFor(kubeconfigPath, join(directory, 'kubectl'));
  }

  /** A copy of the kubeconfig file that impersonates the user. */
  async userKubeconfig(user: string): Promise<string> {
    const path = join(this.directory, `${user}.kubeconfig`);
    await writeImpersonatingConfig(this.kubeconfigPath, path, user);
    return path;
  }

  stopEtcd(): never {
    return outOfReach();
  }
  startEtcd(): never {
    return outOfReach();
  }
  pauseEtcd(): never {
    return outOfReach();
  }
  resumeEtcd(): never {
    return outOfReach();
  }
  stopApiServer(): never {
    return outOfReach();
  }
  startApiServer(): never {
    return outOfReach();
  }
  restartApiServer(): never {
    return outOfReach();
  }
  pauseApiServer(): never {
    return outOfReach();
  }
  resumeApiServer(): never {
    return outOfReach();
  }

  async stop(): Promise<void> {
    await this.simulatedNode?.stop();
    this.simulatedNode = undefined;
    await rm(this.directory, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function outOfReach(): never {
  throw new Error('The processes of the cluster of TEST_KUBECONFIG cannot be stopped or paused');
}
