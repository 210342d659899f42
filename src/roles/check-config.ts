import { checkExposure } from '../api/security.ts';
import type { Config } from '../config/config.ts';
import { compilePipelines } from '../indexer/pipeline/compile-pipelines.ts';

/** Throws what is wrong with the configuration beyond its shape, before anything is started with it. */
export function checkConfig(config: Config): void {
  compilePipelines(config.indexer.pipelines);
  checkExposure(config.server);
}
