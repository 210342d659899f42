/**
 * Packs what Logboom uses of the Kafka client into one file, in place of the compiled `kafka-library.js` that would load
 * all of it. The packages that it holds parts of are named beside it, with their licences.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build, type Rolldown } from 'vite';

/** The compiled module, below the directory that a build writes. */
const LIBRARY = 'transport/kafka/client/kafka-library.js';

/** Loaded by `@platformatic/wasm-utils`, from this place as seen from its own file. */
const WEB_ASSEMBLY = '../dist/native.wasm';

/** A package's directory and name, in the path of one of its modules. */
const PACKAGE = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//;

/**
 * Replaces the compiled module below `directory`, which needs the packages within its reach. What the library checks
 * its options with (`ajv`) is left out: only those parts of it use that which are not used here.
 */
export async function packKafkaLibrary(directory: string): Promise<void> {
  const file = path.join(directory, LIBRARY);
  const { code, modules } = await bundle(file);
  writeFileSync(file, code);
  const packages = packagesOf(modules);
  writeFileSync(file.replace(/\.js$/, '.licences.txt'), [...packages].map(licenceText).join('\n'));
  const wasmUtils = packages.get('@platformatic/wasm-utils');
  if (wasmUtils === undefined) return;
  const target = path.join(path.dirname(file), WEB_ASSEMBLY);
  mkdirSync(path.dirname(target), { recursive: true });
  copyFileSync(path.join(wasmUtils, 'dist/native.wasm'), target);
}

async function bundle(file: string): Promise<Rolldown.OutputChunk> {
  const built = await build({
    configFile: false,
    logLevel: 'warn',
    ssr: { noExternal: true },
    build: {
      ssr: file,
      write: false,
      minify: false,
      target: 'esnext',
      assetsInlineLimit: 0,
      rolldownOptions: {
        output: { codeSplitting: false },
        treeshake: { moduleSideEffects: false, manualPureFunctions: ['Ajv2020', 'ajv'] },
      },
    },
  });
  const { output } = built as Rolldown.RolldownOutput;
  const [chunk, ...others] = output;
  if (others.length > 0) throw new Error(`the Kafka client is packed into ${output.length} files`);
  return chunk;
}

/** Returns the directory of each package of which something is left, by name. */
function packagesOf(modules: Rolldown.OutputChunk['modules']): Map<string, string> {
  const packages = new Map<string, string>();
  for (const [id, { renderedLength }] of Object.entries(modules)) {
    const [, directory, name] = PACKAGE.exec(id) ?? [];
    if (renderedLength > 0 && directory !== undefined && name !== undefined) packages.set(name, directory);
  }
  return packages;
}

function licenceText([name, directory]: readonly [string, string]): string {
  const manifest = JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8')) as {
    version: string;
    license: string;
  };
  const files = readdirSync(directory).filter((each) => /^(?:licen[cs]e|notice)/i.test(each));
  const texts = files.map((each) => readFileSync(path.join(directory, each), 'utf8'));
  return [`${name} ${manifest.version} (${manifest.license})`, ...texts].join('\n\n');
}
