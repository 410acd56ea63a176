#!/usr/bin/env bash
# Starts and stops the stack of this checkout. `--help` tells how.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
readonly ROOT
readonly FAILED=1 USAGE=2

# shellcheck source=scripts/upgrade/common.sh
. "$ROOT/scripts/upgrade/common.sh"
# shellcheck source=scripts/upgrade/owner.sh
. "$ROOT/scripts/upgrade/owner.sh"
# shellcheck source=scripts/upgrade/settings.sh
. "$ROOT/scripts/upgrade/settings.sh"

# What common.sh puts before each line.
SPEAKER=stack
ENV_FILE=${COMPOSE_ENV_FILES:-.env}
ENV_FILE=${ENV_FILE##*,}

usage() {
  cat <<'HELP'
Usage: scripts/stack.sh up | down | --help     (or: npm run up, npm run down)

  up    builds and starts the stack of this checkout, waits until it is healthy, and
        says what to open. Without .env it makes one of .env.example first: a local
        Mission Control, the OpenClaw gateway with a model that costs nothing, and
        the runtime, under the directory's name, or another one where that is taken.
  down  stops the stack and removes its containers. Its data stays.

Both refuse a stack that another checkout has started. Needs Docker with Compose 2.20
or newer. npm run upgrade moves a running stack to new images without losing a run.

Exit codes: 0 done, 1 failed, 2 the command line is wrong.
HELP
}

compose() { docker compose "$@"; }

check_docker() {
  docker version --format '{{.Server.Version}}' >/dev/null 2>&1 ||
    die "The Docker engine does not answer: is it running, and may $(id -un) use it?"
  compose version --short >/dev/null 2>&1 || die "docker compose is not here: install the Compose plugin, 2.20 or newer."
}

# Two directories of the same name are two stacks.
own_name() {
  local name number
  name=$(basename -- "$ROOT" | tr '[:upper:]' '[:lower:]' | tr -c 'a-z0-9\n' - | sed 's/^-*//')
  number=$(printf '%s' "$ROOT" | cksum | cut -d ' ' -f 1)
  printf '%s-%06x' "${name:-mission-control}" $((number % 16777216))
}

make_settings() {
  [ -f "$ENV_FILE" ] && return 0
  [ "$ENV_FILE" = .env ] || die "There is no $ENV_FILE in $ROOT: it has the settings of this stack."
  local name project
  name=$(own_name)
  cp .env.example .env
  # Another checkout's build would move the tag of an image that both share.
  set_variable RUNTIME_IMAGE "$name-runtime" || die ".env could not be written in $ROOT."
  # The project is named like the directory, so that a copy of .env elsewhere is another stack: unless that name is taken.
  project=$(project_of "$(read_canonical)")
  if [ -n "$(foreign_checkout "$project")" ]; then
    set_variable COMPOSE_PROJECT_NAME "$name" || die ".env could not be written in $ROOT."
  fi
  say "Made .env of .env.example."
}

# The environment wins over the file, as it does for compose.
setting() { # NAME DEFAULT
  local value=${!1:-}
  [ -n "$value" ] || value=$(sed -n "s/^[[:space:]]*$1=//p" "$ENV_FILE" | tail -n 1)
  printf '%s' "${value:-$2}"
}

has_profile() { [[ ",$(setting COMPOSE_PROFILES ''), " == *",$1,"* ]]; }

look_at_settings() {
  local canonical
  canonical=$(read_canonical) || die "docker compose refuses the configuration: ${canonical##*$'\n'}"
  PROJECT=$(project_of "$canonical")
  DATA=$(data_of "$canonical")
  check_owner "$PROJECT" "$DATA"
  # Not on every Mac; there two changes at once are left to whoever starts them.
  if command -v flock >/dev/null; then lock_stack "$PROJECT"; fi
}

up() {
  local build=--build tag
  make_settings
  look_at_settings
  warn_of_open_ports
  tag=$(setting RUNTIME_TAG local)
  if is_fixed_tag "$tag"; then
    say "RUNTIME_TAG=$tag names an image that is kept, so nothing is built: npm run upgrade -- --build builds a new one."
    build=--no-build
  fi
  say "Starting the stack $PROJECT; its data is in $DATA. The first time it builds the images, which takes minutes."
  compose up "$build" --detach --wait </dev/null || die "It did not come up: docker compose logs tells why."
  tell_what_to_do
}

warn_of_open_ports() {
  local address
  address=$(setting BIND_ADDRESS 127.0.0.1)
  case $address in
    127.* | ::1 | '[::1]' | localhost) ;;
    *) complain "BIND_ADDRESS=$address opens the stack's ports to other machines, without TLS: 127.0.0.1 with a proxy before it is safer." ;;
  esac
}

tell_what_to_do() {
  say "The stack $PROJECT is up."
  say "  the runtime's state:   http://127.0.0.1:$(setting HEALTH_PORT 3000)/health"
  if has_profile openclaw; then
    say "  the gateway's page:    http://127.0.0.1:$(setting GATEWAY_PORT 18789)/ (its token: $DATA/secrets/gateway/OPENCLAW_GATEWAY_TOKEN)"
  fi
  if has_profile local; then
    say "Say something to an agent:"
    say "  docker compose exec backend say \"@engineer please look at the login bug\""
  fi
  if has_profile openclaw && has_profile mock; then
    say "The model is a mock. For a real one: set ANTHROPIC_API_KEY=... and OPENCLAW_MODEL=anthropic/claude-opus-5 in .env, then scripts/stack.sh up."
  fi
  say "Stop it: scripts/stack.sh down"
}

down() {
  [ -f "$ENV_FILE" ] || die "There is no $ENV_FILE in $ROOT: this checkout has started no stack."
  look_at_settings
  compose --profile '*' down </dev/null || die "It could not be taken down (see above)."
  say "The stack $PROJECT is down. Its data stays in $DATA."
}

main() {
  case ${1:-} in
    -h | --help)
      usage
      return
      ;;
    up | down) ;;
    *)
      complain "There is no command '${1:-}'. --help lists them."
      exit "$USAGE"
      ;;
  esac
  cd -- "$ROOT"
  check_docker
  "$1"
}

main "$@"
