#!/bin/sh
# A run that does not end as its scenario says: exit code 1, and which, when and where on stdout.
#   violated.sh <workcell> <folder of the scenarios> <folder to work in>
set -u
mkdir -p "$3/scenarios"
sed 's/"yellow": "hand"/"yellow": "bin"/' "$2/emergency.json" >"$3/scenarios/emergency.json"
said=$("$1" --scenarios "$3/scenarios" --seeds 1 --out "$3")
code=$?
echo "$said"
[ $code -eq 1 ] && echo "$said" |
  grep -q 'VIOLATED  parts, at [0-9.]* s, in the cell: yellow is in the hand, not in the bin'
