# shellcheck shell=bash disable=SC2034,SC2153 # the parts share their variables
# The drain, and the new containers.

# Seconds for new containers to become healthy: the gateway takes about one minute, on a busy machine more.
readonly START_TIMEOUT=300
# When it starts, a runtime leaves by itself twice at most: for an upgrade and for a restart that were asked for.
readonly MAX_RESTARTS=2
# Seconds that a runtime has, once compose calls it healthy, to be what it should be.
readonly CHECK_TIMEOUT=30
# Seconds that it may be degraded without that being the last word: its first looks around are under way.
readonly SETTLE=10

# One sentence: why it failed.
FAILURE=
# Containers that were up when new ones were asked for.
LEFT_BEHIND=
# Milliseconds since the epoch; empty while the runtime takes work.
DOWN_SINCE=
DRAINED_AT=
UP_AGAIN=
# Milliseconds since the epoch, by service: when its old container was seen to be gone, and its new one to be well.
declare -A WENT_AT CAME_AT

# Makes the directories that a new docker-compose.yml may mount; changes nothing that is there.
run_prepare() {
  [ -n "${WANTED_REF[prepare]:-}" ] || return 0
  local answer
  answer=$(compose run --rm --no-deps -T prepare 2>&1 </dev/null) && return 0
  stop_if_interrupted
  die_unchanged "The prepare service failed: $(last_line "$answer")"
}

# @returns 1 with FAILURE set
change_over() {
  if is_changed runtime; then drain_runtime || return 1; fi
  say "Recreating ${CHANGED[*]}."
  bring_up && check_runtime "$(expected_version)"
}

is_changed() { [[ " ${CHANGED[*]} " == *" $1 "* ]]; }

# RUNTIME_VERSION in the settings wins over what the image says.
expected_version() {
  docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$(container_of runtime)" |
    sed -n 's/^RUNTIME_VERSION=//p' | grep . || version_of "${WANTED_REF[runtime]}"
}

# SIGUSR2 is the runtime's own drain for an upgrade: it lets runs finish, which SIGTERM allows only for
# DRAIN_TIMEOUT_MS, and exits with 75. `docker kill` marks the container as stopped by hand, as `docker stop` does, so
# the restart policy leaves it alone: the same signal sent from inside would have the old image started again at once.
drain_runtime() {
  local container=${CONTAINER[runtime]} process since=$SECONDS told=$SECONDS
  say "Draining the runtime: no new work; runs under way may finish, for at most $TIMEOUT s."
  process=$(process_of "$container")
  DOWN_SINCE=$(now_ms)
  docker kill --signal SIGUSR2 "$container" >/dev/null 2>&1 || true
  while [ -n "$process" ] && [ "$(process_of "$container")" = "$process" ]; do
    if [ -n "$INTERRUPTED" ]; then
      FAILURE="It was interrupted by SIG$INTERRUPTED during the drain."
      return 1
    fi
    if ((SECONDS - since >= TIMEOUT)); then
      say "It has not drained in $TIMEOUT s: what still runs is cut off and handed back."
      cut_drain
    elif ((SECONDS - told >= 10)); then
      read_health || true
      say "  draining for $((SECONDS - since)) s, runs under way: ${H_IN_FLIGHT:-unknown}"
      told=$SECONDS
    fi
    pause 0.2
  done
  DRAINED_AT=$(now_ms)
}

# For a runtime that drains, SIGTERM is the end of it.
cut_drain() { docker stop --time 10 "${CONTAINER[runtime]}" >/dev/null 2>&1 || true; }

# Which process of a container is up, by its start; nothing when none is.
process_of() {
  docker inspect --format '{{if .State.Running}}{{.State.StartedAt}}{{end}}' "$1" 2>/dev/null || true
}

# Starts what has changed and waits until all of it is healthy. @returns 1 with FAILURE set
bring_up() {
  local log job status=0 since=$SECONDS told=$SECONDS
  FAILURE=
  LEFT_BEHIND=$(for service in "${CHANGED[@]}"; do container_of "$service"; done)
  log=$(mktemp)
  # Not --no-deps: older versions of compose would see a changed configuration the next time, and restart.
  # In a process group of its own: a Ctrl-C reaches this script alone, which then goes back.
  set -m
  compose --progress quiet up --detach --no-build --pull never \
    --wait --wait-timeout "$START_TIMEOUT" "${CHANGED[@]}" </dev/null >"$log" 2>&1 &
  job=$!
  set +m
  while kill -0 -- "-$job" 2>/dev/null; do
    note_first_answer
    note_absences
    note_trouble
    # The group: the plugin that does the work is a child of docker's.
    if [ -n "$FAILURE" ]; then kill -TERM -- "-$job" 2>/dev/null || true; fi
    if ((SECONDS - told >= 10)); then
      say "  waiting for ${CHANGED[*]} to become healthy, for $((SECONDS - since)) s"
      told=$SECONDS
    fi
    pause 0.2
  done
  wait "$job" || status=$?
  note_first_answer
  note_absences
  [ "$status" -eq 0 ] || FAILURE=${FAILURE:-$(why_not_up "$(<"$log")")}
  rm -f "$log"
  [ -z "$FAILURE" ]
}

# The new container of a service, as soon as it is up; nothing for one that is only about to be replaced.
new_container_of() { # SERVICE
  local container
  container=$(container_of "$1")
  [[ $LEFT_BEHIND == *"$container"* ]] || printf '%s' "$container"
}

# The moment at which the downtime ends.
note_first_answer() {
  [ -n "$DOWN_SINCE" ] && [ -z "$UP_AGAIN" ] && [ -n "$(new_container_of runtime)" ] || return 0
  if read_health && [ "$H_CODE" = 200 ] && [ "$H_STATUS" != starting ]; then UP_AGAIN=$(now_ms); fi
}

note_absences() {
  local service container
  for service in "${CHANGED[@]}"; do
    container=$(container_of "$service")
    if [ -z "${WENT_AT[$service]:-}" ] && [ "$container" != "${CONTAINER[$service]}" ]; then WENT_AT[$service]=$(now_ms); fi
    [ -n "${WENT_AT[$service]:-}" ] && [ -z "${CAME_AT[$service]:-}" ] || continue
    container=$(new_container_of "$service")
    if [ -n "$container" ] && is_up "$container"; then CAME_AT[$service]=$(now_ms); fi
  done
}

# Healthy, or running where nothing tells.
is_up() { # CONTAINER
  local state
  state=$(docker inspect --format '{{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}' "$1" 2>/dev/null) || return 1
  [ "$state" = healthy ] || [ "$state" = running ]
}

# What compose would wait out: a signal to this script, and a container that ends as often as it is started.
note_trouble() {
  local service container restarts
  if [ -n "$INTERRUPTED" ]; then
    FAILURE="It was interrupted by SIG$INTERRUPTED while the new containers started."
    return
  fi
  for service in "${CHANGED[@]}"; do
    container=$(new_container_of "$service")
    [ -n "$container" ] || continue
    restarts=$(docker inspect --format '{{.RestartCount}}' "$container" 2>/dev/null) || continue
    if ((restarts > MAX_RESTARTS)); then
      FAILURE="The new $service ends as soon as it starts."
      return
    fi
  done
}

why_not_up() { # COMPOSE'S WORDS
  local service container
  for service in "${CHANGED[@]}"; do
    container=$(new_container_of "$service")
    [ -n "$container" ] || continue
    if [ "$(docker inspect --format '{{.RestartCount}}' "$container" 2>/dev/null || echo 0)" != 0 ]; then
      printf 'The new %s ends as soon as it starts.' "$service"
      return
    fi
  done
  if read_health && [ "$H_CODE" != 200 ]; then
    printf 'The new runtime says that it is %s: %s' "$H_STATUS" "$H_REASON"
  else
    printf 'What was recreated did not become healthy: %s.' "$(last_line "${1:-compose says nothing}")"
  fi
}

# Whether the runtime is of use and the version that it should be. @returns 1 with FAILURE set
check_runtime() { # EXPECTED VERSION, empty for any
  local since=$SECONDS
  while ! is_well $((SECONDS - since)); do
    if [ -n "$INTERRUPTED" ]; then
      FAILURE="It was interrupted by SIG$INTERRUPTED while the new runtime was checked."
      return 1
    fi
    if ((SECONDS - since >= CHECK_TIMEOUT)); then
      FAILURE="The runtime is up, and /health answers ${H_CODE:-nothing}: ${H_STATUS:-no status}. ${H_REASON:-}"
      return 1
    fi
    pause 0.5
  done
  note_first_answer
  [ -z "$1" ] || [ "$H_RUNTIME" = "$1" ] && return 0
  FAILURE="The runtime is up as version $H_RUNTIME, not as $1."
  return 1
}

is_well() { # SECONDS THAT IT HAS HAD
  read_health && [ "$H_CODE" = 200 ] || return 1
  [ "$H_STATUS" = healthy ] || { [ "$H_STATUS" = degraded ] && { [ "$OLD_STATUS" = degraded ] || [ "$1" -ge "$SETTLE" ]; }; }
}
