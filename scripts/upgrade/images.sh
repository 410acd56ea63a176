# shellcheck shell=bash disable=SC2034,SC2153 # the parts share their variables
# Images: which ones are wanted, getting them, and what they change.

version_of() { # IMAGE
  docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.version"}}' "$1" 2>/dev/null || true
}

size_of() { # IMAGE
  docker image inspect --format '{{.Size}}' "$1" 2>/dev/null || echo 0
}

# Nothing when the image is not on this machine.
id_of() { # IMAGE
  docker image inspect --format '{{.Id}}' "$1" 2>/dev/null || true
}

# The environment wins over .env. The file is changed only when the upgrade has worked, so that whatever ends this
# script, the next `docker compose up -d` runs what ran before.
choose_tags() {
  [ -z "$TAG" ] || export RUNTIME_TAG=$TAG
  [ -z "$OPENCLAW_TAG_WANTED" ] || export OPENCLAW_TAG=$OPENCLAW_TAG_WANTED
  read_configuration
  choose_steady_tag RUNTIME_TAG runtime
  choose_steady_tag OPENCLAW_TAG openclaw-gateway
  read_configuration
}

choose_steady_tag() { # VARIABLE SERVICE
  local ref=${WANTED_REF[$2]:-} tag
  tag=$(tag_of "$ref")
  is_fixed_tag "$tag" || return 0
  if is_built "$2"; then
    # A build under it would put another image in the place of one that is kept.
    [ "$2" = runtime ] || die_unchanged "$1=$tag names an image that is kept, and a build needs a tag of its own: give an OpenClaw version with --openclaw-tag."
    tag=local
  elif [ "$tag" = previous ]; then
    tag=$(steady_tag "${ref%:*}") || exit
  fi
  export "$1=$tag"
}

fetch_images() {
  local service to_build=()
  for service in "${SERVICES[@]}"; do
    if is_built "$service"; then
      to_build+=("$service")
    else
      pull_image "$service"
    fi
  done
  [ ${#to_build[@]} -gt 0 ] || return 0
  say "Building ${to_build[*]} while the old stack works on."
  compose build "${to_build[@]}" </dev/null && return 0
  stop_if_interrupted
  die_unchanged "The images could not be built (see above)."
}

# The local backend stands for somebody else's Mission Control: it is not renewed by the way.
is_built() { [ "$BUILD" = yes ] && [ "${HAS_BUILD[$1]}" = yes ] && [ "$1" != backend ]; }

# A name without a registry or an owner is of this machine: Docker Hub would be asked for somebody else's image.
is_local() { [[ ${WANTED_REF[$1]} != */* && ${HAS_BUILD[$1]} = yes ]]; }

pull_image() { # SERVICE
  local ref=${WANTED_REF[$1]} answer
  if is_local "$1"; then
    [ -n "$(id_of "$ref")" ] ||
      die_unchanged "There is no image $ref on this machine: build it (--build), or name one in a registry (RUNTIME_IMAGE, OPENCLAW_IMAGE)."
    return 0
  fi
  say "Pulling $ref while the old stack works on."
  answer=$(compose pull --quiet "$1" 2>&1 </dev/null) && return 0
  stop_if_interrupted
  [ -n "$(id_of "$ref")" ] || die_unchanged "The image $ref cannot be pulled: $(last_line "$answer")"
  say "It cannot be pulled ($(last_line "$answer")): the one on this machine is taken."
}

# Compose recreates a container by the same two signs.
find_changes() {
  local service hashes
  hashes=$(hashes_of_settings)
  PREPARE_CHANGED=no
  if [ -n "$PREPARE_HASH" ] && [[ $'\n'$hashes$'\n' != *$'\n'"prepare $PREPARE_HASH"$'\n'* ]]; then PREPARE_CHANGED=yes; fi
  CHANGED=()
  for service in "${SERVICES[@]}"; do
    if [ "$(id_of "${WANTED_REF[$service]}")" != "${IMAGE_ID[$service]}" ] ||
      [[ $'\n'$hashes$'\n' != *$'\n'"$service ${CONFIG_HASH[$service]}"$'\n'* ]]; then
      CHANGED+=("$service")
    fi
  done
}

# SERVICE HASH, a line each, and two for a service where compose is of two minds: `up` leaves dependencies whose profile
# is off out of the hash, `config --hash` does not (2.26). `config` with names does, and its words can be hashed in turn.
hashes_of_settings() {
  compose config --hash '*'
  compose config "${SERVICES[@]}" | compose --file - config --hash '*'
}

# A key, DATA_DIR or BIND_ADDRESS: what they are for has the same image and settings.
tell_of_prepare() {
  [ "$PREPARE_CHANGED" = no ] || say "The prepare service has new settings (such as a key in $ENV_FILE): scripts/stack.sh up applies them."
}

tell_changes() {
  local service id
  for service in "${CHANGED[@]}"; do
    id=$(id_of "${WANTED_REF[$service]}")
    if [ "$id" = "${IMAGE_ID[$service]}" ]; then
      say "  $service: same image, new settings"
    else
      say "  $service: to $(describe "${WANTED_REF[$service]}" "$id")"
    fi
  done
  if [ "$PREPARE_CHANGED" = yes ]; then
    say "  prepare: new settings; compose may recreate with it what it prepares for and what those need (backend, openclaw-gateway, runtime)"
  fi
  NEW_RUNTIME=$(known "$(version_of "${WANTED_REF[runtime]}")" "$OLD_RUNTIME")
  NEW_OPENCLAW=$(known "$(version_of "${WANTED_REF[openclaw-gateway]:-none}")" "$OLD_OPENCLAW")
}

# How long a stop of a service may take is compose's business; a start takes as long as the last one did.
tell_expected_downtime() {
  local service
  for service in "${CHANGED[@]}"; do
    case $service in
      runtime) say "  $service would be away for its drain (until its runs have ended, at most $TIMEOUT s) and a start of some seconds; rows wait in Mission Control" ;;
      openclaw-gateway) say "  $service would be away for its stop (until its runs have ended, at most 315 s) and a start of up to 2 minutes; no agent runs meanwhile" ;;
      *) say "  $service would be away for a stop and a start, some seconds each" ;;
    esac
  done
}

tell_plan() {
  local service
  say "Dry run: nothing is pulled, built, restarted or written."
  for service in "${SERVICES[@]}"; do
    if is_built "$service"; then
      say "Would build ${WANTED_REF[$service]}."
    elif ! is_local "$service"; then
      say "Would pull ${WANTED_REF[$service]}."
    elif [ -z "$(id_of "${WANTED_REF[$service]}")" ]; then
      say "Would stop there: no image ${WANTED_REF[$service]} is on this machine, and without --build none is made."
    fi
  done
  find_changes
  if [ ${#CHANGED[@]} -eq 0 ]; then
    say "With the images that are here now, nothing would be restarted."
    tell_of_prepare
    return
  fi
  say "With the images that are here now, would recreate these containers:"
  tell_changes
  tell_expected_downtime
  each_tag_to_keep tell_tag_to_keep
}
