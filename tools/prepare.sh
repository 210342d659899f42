#!/bin/sh
# `npm ci` in a checkout ends with this: it builds the page. Without the development dependencies (an image, a
# production install) there is nothing to build with, and nothing to do.
root=$(cd "$(dirname "$0")/.." && pwd)
[ -d "$root/node_modules/vite" ] && [ -f "$root/tools/build-web.ts" ] || exit 0
exec sh "$root/tools/node.sh" "$root/tools/build-web.ts"
