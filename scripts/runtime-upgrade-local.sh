#!/usr/bin/env bash
# Moves the running Docker Compose stack to new images, and back when they do not work. `--help` tells how.
# scripts/upgrade/ holds its parts; each is functions only.
set -euo pipefail

if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404)); then
  printf 'upgrade: This is bash %s, and 4.4 or newer is needed (on a Mac: brew install bash).\n' "$BASH_VERSION" >&2
  exit 1
fi

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
readonly ROOT

# shellcheck source=scripts/upgrade/common.sh
. "$ROOT/scripts/upgrade/common.sh"
# shellcheck source=scripts/upgrade/preflight.sh
. "$ROOT/scripts/upgrade/preflight.sh"
# shellcheck source=scripts/upgrade/owner.sh
. "$ROOT/scripts/upgrade/owner.sh"
# shellcheck source=scripts/upgrade/stack.sh
. "$ROOT/scripts/upgrade/stack.sh"
# shellcheck source=scripts/upgrade/kept.sh
. "$ROOT/scripts/upgrade/kept.sh"
# shellcheck source=scripts/upgrade/images.sh
. "$ROOT/scripts/upgrade/images.sh"
# shellcheck source=scripts/upgrade/health.sh
. "$ROOT/scripts/upgrade/health.sh"
# shellcheck source=scripts/upgrade/change.sh
. "$ROOT/scripts/upgrade/change.sh"
# shellcheck source=scripts/upgrade/settings.sh
. "$ROOT/scripts/upgrade/settings.sh"
# shellcheck source=scripts/upgrade/outcome.sh
. "$ROOT/scripts/upgrade/outcome.sh"

readonly UPGRADED=0 FAILED=1 USAGE=2 ROLLED_BACK=10

DRY_RUN=no
LIST=no
BUILD=no
TAG=
OPENCLAW_TAG_WANTED=
TIMEOUT=600

usage() {
  cat <<'HELP'
Usage: scripts/runtime-upgrade-local.sh [options]     (or: npm run upgrade -- [options])

Moves the running Docker Compose stack to new images, and back when they do not work.

The new images are pulled or built while the old stack works on. Then the runtime is
drained (no new work, runs under way may finish), what has changed is recreated, and
/health must answer with the new version. If it does not, the stack goes back to the
images that ran before, and is checked again. What runs now keeps running: services
that are not up are not started. Nothing that has not changed is restarted.

Options:
  --tag TAG           run the runtime's image with this tag; RUNTIME_TAG in .env is
                      set to it once the upgrade has worked
                      (previous: the image that ran before the last upgrade that held)
  --openclaw-tag TAG  the same for the gateway's image, and OPENCLAW_TAG
  --build             build the images from this checkout instead of pulling them
  --timeout SECONDS   the longest that the drain may take, 1 to 3600 (default 600);
                      then what still runs is cut off and handed back: nothing is lost
  --list              list the images that are kept to go back to: the last three
  --dry-run           say what would be done, and change nothing
  --help              print this

Exit codes:
  0   upgraded, or already current
  1   failed; the last line says what runs now (before the drain: all is as it was)
  2   the command line is wrong
  10  rolled back: the stack runs on its old images again
  130 and 143: interrupted (Ctrl-C, SIGTERM) before anything was changed

The images of the local backend (profile local) and of Convex are left alone:
`docker compose up -d --build backend` renews the local backend.
A stack that another checkout has started is refused.

Another account's stack: set COMPOSE_PROJECT_NAME and COMPOSE_ENV_FILES, as for
docker compose itself. Needs Docker with Compose 2.20 or newer, bash 4.4, flock.
HELP
}

parse_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --dry-run) DRY_RUN=yes ;;
      --build) BUILD=yes ;;
      --list) LIST=yes ;;
      --tag | --openclaw-tag | --timeout)
        [ $# -ge 2 ] || misused "$1 needs a value."
        set_option "$1" "$2"
        shift
        ;;
      --tag=* | --openclaw-tag=* | --timeout=*) set_option "${1%%=*}" "${1#*=}" ;;
      -h | --help)
        usage
        exit 0
        ;;
      *) misused "There is no option $1." ;;
    esac
    shift
  done
}

set_option() { # NAME VALUE
  case $1 in
    --tag) TAG=$(checked_tag "$1" "$2") || exit ;;
    --openclaw-tag) OPENCLAW_TAG_WANTED=$(checked_tag "$1" "$2") || exit ;;
    --timeout)
      [[ $2 =~ ^([1-9][0-9]{0,2}|[12][0-9]{3}|3[0-5][0-9]{2}|3600)$ ]] ||
        misused "--timeout must be a whole number of seconds from 1 to 3600, not '$2'."
      TIMEOUT=$2
      ;;
  esac
}

checked_tag() { # NAME VALUE
  [[ $2 =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$ ]] ||
    misused "$1 must be an image tag (letters, digits, '_', '.', '-'; at most 128), not '$2'."
  printf '%s' "$2"
}

misused() { # SENTENCE
  complain "$1 --help lists the options."
  exit "$USAGE"
}

main() {
  parse_arguments "$@"
  cd -- "$ROOT"
  check_tools
  check_engine
  check_settings
  read_configuration
  check_owner "$PROJECT" "$DATA"
  if [ "$LIST" = yes ]; then
    list_images
    exit "$UPGRADED"
  fi
  lock_stack "$PROJECT"
  trap 'on_signal INT 130' INT
  trap 'on_signal TERM 143' TERM
  trap 'on_signal HUP 129' HUP
  trap 'on_exit' EXIT
  STARTED_MS=$(now_ms)
  look_at_stack
  choose_tags
  check_disk
  tell_stack
  if [ "$DRY_RUN" = yes ]; then
    tell_plan
    exit "$UPGRADED"
  fi
  fetch_images
  find_changes
  if [ ${#CHANGED[@]} -eq 0 ]; then
    say "Already current: nothing was restarted."
    tell_of_prepare
    exit "$UPGRADED"
  fi
  tell_changes
  run_prepare
  keep_old_images
  stop_if_interrupted
  if change_over; then
    finish_upgrade
    exit "$UPGRADED"
  fi
  go_back
}

main "$@"
