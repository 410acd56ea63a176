# shellcheck shell=bash disable=SC2034,SC2153 # the parts share their variables
# Words for people (progress on standard output, trouble on standard error), time, and signals.

# What stands before each line.
SPEAKER=upgrade

say() { printf '%s: %s\n' "$SPEAKER" "$*"; }
complain() { printf '%s: %s\n' "$SPEAKER" "$*" >&2; }

die() { # SENTENCE
  complain "$1"
  exit "$FAILED"
}

# Before the drain the old stack is untouched, and saying so is half of the answer.
die_unchanged() { die "$1 Nothing was changed: the stack runs as before."; }

now_ms() {
  if [ -n "${EPOCHREALTIME:-}" ]; then
    # The locale's decimal separator is in it.
    printf '%s' $((${EPOCHREALTIME//[!0-9]/} / 1000))
  else
    printf '%s000' "$(date +%s)"
  fi
}

# 12345 -> 12.3
seconds() { printf '%d.%d' $(($1 / 1000)) $(($1 % 1000 / 100)); }

# sha256:0123456789abcdef... -> 0123456789ab
short() {
  local id=${1#sha256:}
  printf '%s' "${id:0:12}"
}

# A pause that a signal may end early.
pause() { sleep "$1" || true; }

INTERRUPTED=
INTERRUPT_CODE=

# Whoever waits for something looks at it.
on_signal() { # NAME CODE
  INTERRUPTED=$1
  INTERRUPT_CODE=$2
}

# For the time before the drain, when stopping is all that there is to do.
stop_if_interrupted() {
  [ -n "$INTERRUPTED" ] || return 0
  complain "Interrupted by SIG$INTERRUPTED. Nothing was changed: the stack runs as before."
  exit "$INTERRUPT_CODE"
}
