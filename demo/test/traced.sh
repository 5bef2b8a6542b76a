#!/bin/sh
# The log shows where an event was raised: in a callback of OMPL's, which knows nothing of us. And
# where a search was paused that then went on on another thread: there too.
#   traced.sh <workcell> <folder to work in>
set -eu
"$1" --scenario obstacle --out "$2" >/dev/null
sed -n '/^  obstacle_appeared came at/,/^  [^ ]/p' "$2/obstacle/log.txt" | tr '\n' ' ' |
  grep 'plan::planner::problem.*RRTConnect::solve.*\[libompl.*mission::run()'
"$1" --scenario battery --out "$2" >/dev/null
grep 'the search pauses behind check' "$2/battery/log.txt"
grep "the search goes on with check [0-9]* on the dock's computer" "$2/battery/log.txt"
sed -n '/^  battery_low came at/,/^  [^ ]/p' "$2/battery/log.txt" | tr '\n' ' ' |
  grep 'plan::planner::problem.*RRTConnect::solve.*\[libompl.*resumable_body'
