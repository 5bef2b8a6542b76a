#!/bin/sh
# Ctrl-C in mid-motion: exit code 130, the report is written, and all that can be judged holds. In a
# sweep the terminal sends it to the process of the run and to the one that plays them all.
#   ctrl_c.sh <workcell> <folder to work in>
set -eu
rm -rf "$2"
mkdir -p "$2"
mkfifo "$2/story"

# press <arguments>...: sends SIGINT to all processes once the arm moves. Sets `code`.
press() {
  setsid "$workcell" --realtime --out "$folder" "$@" >"$folder/said" 2>"$folder/story" &
  run=$!
  exec 3<"$folder/story"
  while read -r line <&3; do
    case $line in */follow) break ;; esac
  done
  kill -s INT -- "-$run"
  cat <&3 >/dev/null  # it shall not wait for a reader
  code=0
  wait $run || code=$?
  cat "$folder/said"
}

workcell=$1 folder=$2
press --scenario person
[ $code -eq 130 ]
grep -q '"ended_by": "Ctrl-C"' "$2/person/report.json"
grep -q '"violations": \[\]' "$2/person/report.json"
grep -q 'Ctrl-C: the mission is terminated   \[run/deliver' "$2/person/log.txt"
grep -q 'invariants: parts ok, gripper ok, blocks ok, interrupts ok, bus ok, distance ok, collisions ok, searches ok, scenario interrupted' \
  "$2/person/log.txt"
[ "$(grep -c 'is delivered' "$2/person/log.txt")" -eq 0 ]

press --scenario person --seeds 3
[ $code -eq 130 ]
grep -q '"ended_by": "Ctrl-C"' "$2/person/seed-1/report.json"
[ ! -e "$2/person/seed-2" ]
