import { unreachable } from '../../base/assert.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import { createAppsLayout } from './apps-layout.ts';
import { createDockerLayout } from './docker-layout.ts';
import { createFilesLayout } from './files-layout.ts';
import type { Layout, LayoutContext } from './layout.ts';
import { createPodsLayout } from './pods-layout.ts';

/** Makes the layout of a source by its kind. */
export function createLayout(source: SourceConfig, context: LayoutContext): Layout {
  switch (source.kind) {
    case 'apps':
      return createAppsLayout(source, context);
    case 'pods':
      return createPodsLayout(source, context);
    case 'docker':
      return createDockerLayout(source, context);
    case 'files':
      return createFilesLayout(source, context);
    default:
      return unreachable(source);
  }
}
