# shellcheck shell=bash disable=SC2034,SC2153 # the parts share their variables
# What runs now, and what compose would run: read before anything is changed.

# Of the services that run: container, image id, image reference, version label and compose's hash of the configuration.
declare -A CONTAINER IMAGE_ID IMAGE_REF IMAGE_VERSION CONFIG_HASH
# Of every service that compose knows.
declare -A WANTED_REF HAS_BUILD PROFILES_OF
# The services that run.
SERVICES=()
CHANGED=()
# Of the prepare service, which has ended.
PREPARE_HASH=
PREPARE_CHANGED=no
PROJECT=
# Where the stack keeps what lasts.
DATA=
IMAGES_BYTES=0

compose() { docker compose "$@"; }

look_at_stack() {
  read_containers
  [ -n "${CONTAINER[runtime]:-}" ] ||
    die "No runtime of the project $PROJECT is up: start the stack with docker compose up -d."
  # What runs keeps running, whatever .env says of profiles by now.
  COMPOSE_PROFILES=$(running_profiles)
  export COMPOSE_PROFILES
  WAS_WELL=no
  if read_health && [ "$H_CODE" = 200 ]; then WAS_WELL=yes; fi
  OLD_STATUS=$H_STATUS
  OLD_VERSION_SEEN=$H_RUNTIME
  OLD_RUNTIME=$(known "$H_RUNTIME" "${IMAGE_VERSION[runtime]}")
  OLD_OPENCLAW=$(known "$H_OPENCLAW" "${IMAGE_VERSION[openclaw-gateway]:-}")
  REQUESTED=$([ -n "$H_TARGET_RUNTIME" ] && echo true || echo false)
}

# Compose's canonical form has a service at two spaces and its keys at four. It holds secrets: it is never printed.
read_configuration() {
  local text service ref build profiles
  text=$(read_canonical) || die_unchanged "docker compose refuses the configuration: $(last_line "$text")"
  PROJECT=$(project_of "$text")
  DATA=$(data_of "$text")
  while IFS='|' read -r service ref build profiles; do
    WANTED_REF[$service]=$ref
    HAS_BUILD[$service]=$build
    PROFILES_OF[$service]=$profiles
  done < <(awk '
    function flush() { if (service != "") print service "|" ref "|" build "|" profiles }
    /^services:/ { on = 1; next }
    /^[^ ]/ { on = 0 }
    !on { next }
    /^  [^ ]/ { flush(); service = $1; sub(/:$/, "", service); ref = ""; build = "no"; profiles = ""; list = 0; next }
    /^    image: / { ref = $2 }
    /^    build:/ { build = "yes" }
    /^    [^ ]/ { list = /^    profiles:/ }
    list && /^      - / { profiles = profiles " " $2 }
    END { flush() }' <<<"$text")
}

read_containers() {
  local ids service id image ref hash
  PREPARE_HASH=$(docker ps --all --filter "label=com.docker.compose.project=$PROJECT" --filter label=com.docker.compose.service=prepare \
    --filter label=com.docker.compose.oneoff=False --format '{{.Label "com.docker.compose.config-hash"}}' | head -n 1)
  ids=$(docker ps --quiet --filter "label=com.docker.compose.project=$PROJECT" --filter label=com.docker.compose.oneoff=False)
  [ -n "$ids" ] || return 0
  local format='{{index .Config.Labels "com.docker.compose.service"}}|{{.Id}}|{{.Image}}|{{.Config.Image}}'
  format+='|{{index .Config.Labels "com.docker.compose.config-hash"}}'
  # shellcheck disable=SC2086 # ids, one a word
  while IFS='|' read -r service id image ref hash; do
    CONTAINER[$service]=$id
    IMAGE_ID[$service]=$image
    IMAGE_REF[$service]=$ref
    CONFIG_HASH[$service]=$hash
    IMAGE_VERSION[$service]=$(version_of "$image")
    if [ -n "${WANTED_REF[$service]:-}" ]; then
      SERVICES+=("$service")
      IMAGES_BYTES=$((IMAGES_BYTES + $(size_of "$image")))
    fi
  done < <(docker inspect --format "$format" $ids | sort)
}

running_profiles() {
  local service
  for service in "${!CONTAINER[@]}"; do
    # shellcheck disable=SC2086 # names, one a word
    [ -z "${PROFILES_OF[$service]:-}" ] || printf '%s\n' ${PROFILES_OF[$service]}
  done | sort -u | paste -s -d, -
}

# The container of a service that is up, or starting again and again; nothing when there is none.
container_of() {
  docker ps --quiet --no-trunc --filter "label=com.docker.compose.project=$PROJECT" \
    --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False | head -n 1
}

tell_stack() {
  local service
  say "Stack $PROJECT of $ROOT, profiles: ${COMPOSE_PROFILES:-none}."
  say "  its data is in ${DATA:-a directory that the settings do not tell}"
  for service in "${SERVICES[@]}"; do
    say "  $service runs $(describe "${IMAGE_REF[$service]}" "${IMAGE_ID[$service]}")"
  done
  if [ -n "$H_TARGET_RUNTIME" ]; then
    say "Mission Control asks for runtime $H_TARGET_RUNTIME with OpenClaw $H_TARGET_OPENCLAW."
  fi
}

# REF ID -> name:tag (version 1.0.0, image 0123456789ab)
describe() {
  local version
  version=$(version_of "$2")
  printf '%s (%simage %s)' "$1" "${version:+version $version, }" "$(short "$2")"
}
