#!/bin/sh
# Plays one scenario twice; the logs must be the same, byte by byte.
#   same_log.sh <workcell> <folder to work in>
set -eu
for run in first second; do
  "$1" --scenario three_at_once --seed 4 --out "$2/$run" >/dev/null
done
cmp "$2/first/three_at_once/log.txt" "$2/second/three_at_once/log.txt"
