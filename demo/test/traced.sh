#!/bin/sh
# The log shows where an event was raised: in a callback of OMPL's, which knows nothing of us.
#   traced.sh <workcell> <folder to work in>
set -eu
"$1" --scenario obstacle --out "$2" >/dev/null
sed -n '/^  obstacle_appeared came at/,/^  [^ ]/p' "$2/obstacle/log.txt" | tr '\n' ' ' |
  grep 'plan::planner::problem.*RRTConnect::solve.*\[libompl.*mission::run()'
