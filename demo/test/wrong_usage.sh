#!/bin/sh
# What the program does with wrong usage: exit code 2, nothing on stdout, and a message that helps.
#   wrong_usage.sh <workcell>
workcell=$1
failed=0

# expect_wrong <a word that the message must have> <arguments>...
expect_wrong() {
  word=$1
  shift
  said=$("$workcell" "$@" 2>&1 >/dev/null)
  code=$?
  printed=$("$workcell" "$@" 2>/dev/null)
  case $said in *"$word"*) helps=yes ;; *) helps=no ;; esac
  if [ "$code" -ne 2 ] || [ $helps = no ] || [ -n "$printed" ]; then
    echo "workcell $*: exit code $code, \"$printed\", \"$said\""
    failed=1
  fi
}

expect_wrong obstacle --scenario nonsense
expect_wrong --help --no-such-option
expect_wrong --seed --seed many
expect_wrong --seeds --seeds 3 --seed 4
expect_wrong --scenarios --scenarios /nowhere
exit $failed
