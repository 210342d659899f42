/** Pods as the API sends them, for tests. */
export interface PodShape {
  readonly uid: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly version?: string;
  readonly restartCount?: number;
}

/** Returns a pod with one container `app`, as its `restartCount`th run. */
export function podObject(shape: PodShape): Record<string, unknown> {
  const { uid, name = 'web-1', namespace = 'shop', labels = {}, annotations = {}, restartCount = 0 } = shape;
  return {
    metadata: { uid, name, namespace, labels, annotations, resourceVersion: shape.version ?? '1' },
    spec: { nodeName: 'node-1', containers: [{ name: 'app', image: 'registry.example/web:1.4' }] },
    status: {
      containerStatuses: [
        { name: 'app', restartCount, containerID: `containerd://${'c'.repeat(8)}${restartCount}` },
      ],
    },
  };
}
