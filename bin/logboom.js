#!/usr/bin/env node
// Plain old JavaScript: it has to run on the Node versions that it turns away.
const oldest = [24, 12];
const version = process.versions.node.split('.').map(Number);
const isNewEnough = version[0] > oldest[0] || (version[0] === oldest[0] && version[1] >= oldest[1]);

if (!isNewEnough) {
  process.stderr.write(
    `logboom: needs Node ${oldest.join('.')} or newer, and this is Node ${process.versions.node}\n` +
      '  Install a newer one from https://nodejs.org, or: npx --package=node@24 --package=logboom logboom\n' +
      '  In a checkout, `npm ci && npm start` brings its own Node.\n',
  );
  process.exit(111);
}

const compiled = new URL('../dist/main.js', import.meta.url);
const source = new URL('../src/main.ts', import.meta.url);
// A checkout runs its sources, a package what was compiled from them.
const { existsSync } = await import('node:fs');
const isCheckout = existsSync(source);
if (isCheckout) {
  // Sources lose their types at every start unless the result is kept: that is two thirds of a short command's time.
  const { enableCompileCache } = await import('node:module');
  const { fileURLToPath } = await import('node:url');
  enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/logboom/compile', import.meta.url)));
}
await import((isCheckout ? source : compiled).href);
