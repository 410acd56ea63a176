# shellcheck shell=bash disable=SC2034,SC2153 # the parts share their variables
# What must be true before anything is looked at.

readonly MIN_COMPOSE_MAJOR=2 MIN_COMPOSE_MINOR=20
# Kilobytes beside what the new images are expected to take.
readonly SPARE_KB=524288

check_tools() {
  local tool
  for tool in docker flock awk df; do
    command -v "$tool" >/dev/null ||
      die "The command $tool is not here: install it (flock is part of util-linux; on a Mac: brew install flock)."
  done
}

check_engine() {
  local answer
  answer=$(docker version --format '{{.Server.Version}}' 2>&1) ||
    die "The Docker engine does not answer: is it running, and may $(id -un) use it? ($(last_line "$answer"))"
  answer=$(docker compose version --short 2>&1) ||
    die "docker compose is not here: install the Compose plugin, $MIN_COMPOSE_MAJOR.$MIN_COMPOSE_MINOR or newer."
  [[ $answer =~ ^v?([0-9]+)\.([0-9]+) ]] || die "docker compose tells no version that can be read: $answer"
  ((BASH_REMATCH[1] > MIN_COMPOSE_MAJOR ||
    (BASH_REMATCH[1] == MIN_COMPOSE_MAJOR && BASH_REMATCH[2] >= MIN_COMPOSE_MINOR))) ||
    die "Compose $answer is too old: $MIN_COMPOSE_MAJOR.$MIN_COMPOSE_MINOR or newer is needed."
}

check_settings() {
  # Of several files the last one wins.
  ENV_FILE=${COMPOSE_ENV_FILES:-.env}
  ENV_FILE=${ENV_FILE##*,}
  [ -f "$ENV_FILE" ] ||
    die "There is no $ENV_FILE in $ROOT: cp .env.example .env, set what is yours, and start the stack with docker compose up -d."
  [ -r "$ENV_FILE" ] || die "$ENV_FILE cannot be read by $(id -un)."
  [ "$DRY_RUN" = yes ] || [ -w "$ENV_FILE" ] || die "$ENV_FILE cannot be written by $(id -un): it keeps the tag."
}

# The new images are expected to be as big as the old ones.
check_disk() {
  local where free need=$((SPARE_KB + IMAGES_BYTES / 1024))
  where=$(docker info --format '{{.DockerRootDir}}' 2>/dev/null) || where=
  # An engine in a virtual machine keeps its images where this machine cannot look.
  [ -d "$where" ] || where=$ROOT
  free=$(df -Pk "$where" | awk 'NR == 2 { print $4 }')
  [[ $free =~ ^[0-9]+$ ]] || die "df tells nothing about the free space on $where."
  ((free >= need)) ||
    die_unchanged "There are $((free / 1024)) MB free on $where and the new images may need $((need / 1024)) MB: make space (docker image prune)."
}

last_line() { printf '%s' "${1##*$'\n'}"; }
