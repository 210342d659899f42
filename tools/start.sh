#!/bin/sh
# `npm start`: the whole path on this machine, with a small demo. `npm start -- --config FILE` runs without the demo,
# and `npm start -- COMMAND …` is any command of the program.
root=$(cd "$(dirname "$0")/.." && pwd)
case ${1-} in
  '') set -- up --demo ;;
  -h | --help | -V | --version) ;;
  -*)
    case " $* " in
      *" --config"[\ =]* | *" --demo "*) set -- up "$@" ;;
      *) set -- up --demo "$@" ;;
    esac
    ;;
esac
# Compiled once, the program starts in a third of the time. Of no use where the folder cannot be written, and no harm.
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE-$root/node_modules/.cache/logboom/compile}"
exec sh "$root/tools/node.sh" "$root/src/main.ts" "$@"
