# shellcheck shell=bash disable=SC2034,SC2153 # the parts share their variables
# How it ended: the upgrade's last words, and the way back.

OUTCOME_TOLD=no

# Whatever ends this script in the middle, nobody is left to guess.
on_exit() {
  [ -n "$DOWN_SINCE" ] && [ "$OUTCOME_TOLD" = no ] || return 0
  complain "This script broke off in the middle (see above). docker compose up -d starts what $ENV_FILE says."
  exit "$FAILED"
}

finish_upgrade() {
  each_tag_to_keep keep_tag
  keep_history
  leave_result success "$(known "$H_OPENCLAW" "$NEW_OPENCLAW")" "$H_RUNTIME"
  say "The stack $PROJECT of $ROOT, data in $DATA: recreated ${CHANGED[*]}."
  say "Upgraded: runtime $OLD_RUNTIME -> $H_RUNTIME. It is $H_STATUS: $H_REASON"
  tell_downtime
  OUTCOME_TOLD=yes
  if [ -n "$H_TARGET_RUNTIME" ] && [ "$H_TARGET_RUNTIME" != "$H_RUNTIME" ]; then
    say "Mission Control asks for runtime $H_TARGET_RUNTIME, and this is $H_RUNTIME."
  fi
}

# Ends this script: 10 when what ran before runs again, 1 when it does not.
go_back() {
  local reason=$FAILURE
  complain "$reason"
  show_last_words
  trap 'complain "It is going back already: please wait."' INT TERM HUP
  INTERRUPTED=
  UP_AGAIN=
  CAME_AT=()
  say "Going back to the images that ran before."
  if use_old_images && bring_up && check_runtime "$OLD_VERSION_SEEN"; then
    leave_result rolled_back "$NEW_OPENCLAW" "$NEW_RUNTIME" "$reason"
    each_tag_to_keep keep_tag
    say "The stack $PROJECT of $ROOT, data in $DATA: recreated ${CHANGED[*]}."
    say "Rolled back: runtime $H_RUNTIME runs again. It is $H_STATUS: $H_REASON"
    tell_downtime
    OUTCOME_TOLD=yes
    exit "$ROLLED_BACK"
  fi
  leave_result failed "$NEW_OPENCLAW" "$NEW_RUNTIME" "$reason Going back failed: $FAILURE"
  show_last_words
  complain "Going back failed as well. $FAILURE"
  [ "$WAS_WELL" = yes ] || complain "The runtime was not well before the upgrade either."
  tell_containers
  complain "Not recovered: mend what is said above, then docker compose up -d starts the old images."
  OUTCOME_TOLD=yes
  exit "$FAILED"
}

# @returns 1 with FAILURE set
use_old_images() {
  local variable service ref
  while read -r variable service; do
    [ -n "$(tag_of "${IMAGE_REF[$service]:-}")" ] || continue
    export "$variable=$(tag_of "${IMAGE_REF[$service]}")"
  done <<<"$TAG_VARIABLES"
  read_configuration
  for service in "${CHANGED[@]}"; do
    ref=${WANTED_REF[$service]}
    [ "$(id_of "$ref")" != "${IMAGE_ID[$service]}" ] || continue
    # The tag was moved, by a build or a pull.
    if ! docker tag "${IMAGE_ID[$service]}" "$ref"; then
      FAILURE="The old image of $service is gone."
      return 1
    fi
  done
  # One that still drains would be taken for one that runs.
  if [ -n "$DOWN_SINCE" ] && [ -z "$DRAINED_AT" ]; then cut_drain; fi
}

tell_downtime() {
  tell_service_downtimes
  if [ -z "$DOWN_SINCE" ]; then
    say "Downtime: 0.0 s (the runtime was not restarted)."
    return
  fi
  local up=${UP_AGAIN:-$(now_ms)} drained
  drained=${DRAINED_AT:-$up}
  say "Downtime: $(seconds $((up - DOWN_SINCE))) s without a runtime that takes work (drain $(seconds $((drained - DOWN_SINCE))) s, change $(seconds $((up - drained))) s)."
}

# Of the others; the runtime's has its parts.
tell_service_downtimes() {
  local service went came
  for service in "${CHANGED[@]}"; do
    [ "$service" != runtime ] || continue
    went=${WENT_AT[$service]:-} came=${CAME_AT[$service]:-}
    if [ -n "$went" ] && [ -n "$came" ]; then
      say "$service was away for $(seconds $((came - went))) s."
    else
      say "$service was recreated."
    fi
  done
}

show_last_words() {
  local service container
  for service in "${CHANGED[@]}"; do
    container=$(container_of "$service")
    if [ -n "$container" ] && [ "$container" != "${CONTAINER[$service]}" ]; then
      complain "The last words of $service ($(state_of "$container")):"
      docker logs --tail 15 "$container" 2>&1 | sed 's/^/  | /' >&2
    fi
  done
}

tell_containers() {
  local service container
  for service in "${CHANGED[@]}"; do
    container=$(container_of "$service")
    complain "  $service: $([ -n "$container" ] && state_of "$container" || echo 'no container is up')"
  done
}

state_of() { # CONTAINER
  docker inspect --format '{{.State.Status}}{{with .State.Health}}, {{.Status}}{{end}}, image {{.Config.Image}}' "$1" 2>/dev/null ||
    echo 'gone'
}

# The first that says something.
known() {
  local value
  for value in "$@"; do
    [ -z "$value" ] || [ "$value" = unknown ] || { printf '%s' "$value" && return; }
  done
  printf unknown
}
