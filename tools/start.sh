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
exec sh "$root/tools/node.sh" "$root/src/main.ts" "$@"
