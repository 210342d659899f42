#!/bin/sh
# Runs a Node that can run this project's TypeScript (24.12 or newer) with the given arguments.
#
#   1. the Node that `npm ci` installed from the npm package `node`, so that an older Node on the machine will do;
#   2. the first new enough `node` of the PATH;
#   3. otherwise says what to install and exits 111.
root=$(cd "$(dirname "$0")/.." && pwd)
bundled="$root/node_modules/node/bin/node"

is_new_enough() {
  "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 24 || (a === 24 && b >= 12) ? 0 : 1)' \
    >/dev/null 2>&1
}

if [ -x "$bundled" ] && "$bundled" -e 0 >/dev/null 2>&1; then exec "$bundled" "$@"; fi

saved_ifs=$IFS
IFS=:
for directory in $PATH; do
  case $directory in "$root"/node_modules/*) continue ;; esac
  if [ -x "$directory/node" ] && is_new_enough "$directory/node"; then
    IFS=$saved_ifs
    exec "$directory/node" "$@"
  fi
done
IFS=$saved_ifs

{
  echo "logboom: cannot find a Node that runs this program (24.12 or newer)"
  if [ ! -x "$bundled" ]; then
    echo "  Run 'npm ci' first: it brings its own Node. Or install Node 24.12 or newer: https://nodejs.org"
  else
    echo "  The Node that npm installed does not start:"
    "$bundled" -e 0 2>&1 | head -n 3 | sed 's/^/    /'
    echo "  On Debian and Ubuntu its missing library comes with: apt-get install libatomic1"
    echo "  Or install Node 24.12 or newer: https://nodejs.org"
  fi
} >&2
exit 111
