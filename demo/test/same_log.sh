#!/bin/sh
# Plays scenarios twice; the logs must be the same, byte by byte. In the one of the bus, bytes and
# `quit` meet in one tick; in that of the
# failing sensor its death ends the threads of others; in that of the
# deadline the wall clock decides how long is computed, and nothing else; in that of the
# battery two threads run one search.
#   same_log.sh <workcell> <folder to work in>
set -eu
# same <scenario> <seed>
same() {
  for run in first second; do
    "$1" --scenario "$2" --seed "$3" --out "$4/$run" >/dev/null
  done
  cmp "$4/first/$2/log.txt" "$4/second/$2/log.txt"
}
same "$1" three_at_once 4 "$2"
same "$1" bus 7 "$2"
same "$1" sensor_fails 2 "$2"
same "$1" deadline 5 "$2"
same "$1" battery 6 "$2"
