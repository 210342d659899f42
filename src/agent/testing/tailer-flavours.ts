import type { SourceConfig } from '../../config/source-config.ts';
import { APPS_SOURCE, PODS_SOURCE } from './agent-world.ts';
import type { Model } from './tailer-model.ts';

/** A kind of log directory, and what its writer and the agent do there, each about as often as it is named. */
export interface Flavour {
  readonly name: string;
  readonly source: SourceConfig;
  readonly directory: string;
  readonly active: string;
  readonly steps: readonly (keyof Model)[];
}

/** Those that every case of the model is one of. */
export const FLAVOURS: readonly Flavour[] = [
  {
    name: 'plain files',
    source: APPS_SOURCE,
    directory: '/data/logs/ns/app/pod/log',
    active: 'app.log',
    steps: [
      'write',
      'write',
      'piece',
      'trace',
      'look',
      'look',
      'rename',
      'compress',
      'copyTruncate',
      'truncate',
      'remove',
      'prune',
      'hold',
      'release',
      'kill',
      'restart',
      'switchLink',
    ],
  },
  {
    name: 's6-log directories',
    source: APPS_SOURCE,
    directory: '/data/logs/ns/app/pod/log/stdout',
    active: 'current',
    steps: [
      'write',
      'write',
      'piece',
      'look',
      'look',
      'rotateS6',
      'rotateS6',
      'prune',
      'hold',
      'release',
      'kill',
      'restart',
    ],
  },
  {
    name: 'pods',
    source: PODS_SOURCE,
    directory: '/var/log/pods/ns_pod_0a1b/main',
    active: '0.log',
    steps: [
      'writeCri',
      'writeCri',
      'look',
      'look',
      'rotateKubelet',
      'rotateKubelet',
      'hold',
      'release',
      'kill',
      'restart',
    ],
  },
];

/** As logrotate does with `copytruncate`, which takes its time. */
export const SLOW_COPIES: Flavour = {
  name: 'slow copies',
  source: APPS_SOURCE,
  directory: '/data/logs/ns/app/pod/log',
  active: 'app.log',
  steps: [
    'write',
    'write',
    'look',
    'look',
    'copySlowly',
    'copySlowly',
    'copyTruncate',
    'compress',
    'hold',
    'release',
    'kill',
    'restart',
  ],
};
