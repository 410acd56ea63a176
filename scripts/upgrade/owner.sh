# shellcheck shell=bash disable=SC2034,SC2153 # the parts share their variables
# Whose stack it is, and one change of it at a time. Knows no bash newer than 3.2: scripts/stack.sh uses it as well.

# Compose's canonical form of the settings. It holds secrets: it is never printed.
read_canonical() {
  compose --profile '*' config 2>&1
}

project_of() { awk '/^name: / { print $2; exit }' <<<"$1"; } # CANONICAL

# What the runtime mounts as its state, without the last part.
data_of() { # CANONICAL
  awk '
    /^services:/ { on = 1; next }
    /^[^ ]/ { on = 0 }
    /^  [^ ]/ { service = $1 }
    on && service == "runtime:" && /^ +source: / { sub(/^ +source: /, ""); source = $0 }
    on && service == "runtime:" && /^ +target: \/state$/ { sub(/\/state$/, "", source); gsub(/^"|"$/, "", source); print source; exit }
  ' <<<"$1"
}

# Checkout and data directory of each container of the project, one a line.
owners_of() { # PROJECT
  local ids
  ids=$(docker ps --all --quiet --filter "label=com.docker.compose.project=$1" \
    --filter label=com.docker.compose.service=runtime --filter label=com.docker.compose.oneoff=False)
  [ -n "$ids" ] || return 0
  # shellcheck disable=SC2086 # ids, one a word
  docker inspect --format '{{index .Config.Labels "com.docker.compose.project.working_dir"}}|{{range .Mounts}}{{if eq .Destination "/state"}}{{.Source}}{{end}}{{end}}' $ids
}

# The other checkout that has started this project; nothing when there is none. A directory that is gone has no rights:
# then this checkout has been moved.
foreign_checkout() { # PROJECT
  local checkout state
  while IFS='|' read -r checkout state; do
    if [ -n "$checkout" ] && [ -d "$checkout" ] && ! [ "$checkout" -ef "$ROOT" ]; then
      printf '%s' "$checkout"
      return
    fi
  done < <(owners_of "$1")
}

# Ends the script when the project's containers are of another checkout, or have other data.
check_owner() { # PROJECT DATA
  local checkout state
  checkout=$(foreign_checkout "$1")
  [ -z "$checkout" ] ||
    die "The stack $1 belongs to the checkout $checkout, and this is $ROOT: nothing was changed. Run it there, or set COMPOSE_PROJECT_NAME in $ENV_FILE to a name of its own."
  while IFS='|' read -r _ state; do
    if [ -n "$2" ] && [ -d "$state" ] && [ "${state%/state}" != "$2" ] && ! [ "${state%/state}" -ef "$2" ]; then
      die "The stack $1 has its data in ${state%/state}, and the settings say $2: nothing was changed. Correct DATA_DIR in $ENV_FILE, or take the stack down first (docker compose down) if the other data is meant."
    fi
  done < <(owners_of "$1")
}

# The same for every checkout and user of this machine.
lock_file_of() { # PROJECT
  printf '%s/mission-control-%s.lock' "${STACK_LOCK_DIR:-/tmp}" "$(printf '%s' "$(docker info --format '{{.ID}}' 2>/dev/null)/$1" | cksum | tr ' ' -)"
}

# One change at a time. The kernel lets go of the lock when this script and what it started have ended, however they end.
lock_stack() { # PROJECT
  local file
  file=$(lock_file_of "$1")
  if [ "${DRY_RUN:-no}" = yes ]; then
    { [ -r "$file" ] && exec 9<"$file"; } || return 0
  else
    # Made once by whoever comes first; others need only read it to hold it.
    (set -C && umask 022 && : >"$file") 2>/dev/null || true
    { exec 9<"$file"; } 2>/dev/null || die "The lock $file cannot be read by $(id -un): remove it."
  fi
  flock --nonblock 9 || die "The stack $1 is being changed already: $(lock_holder "$file")."
  if [ "${DRY_RUN:-no}" = no ] && [ -w "$file" ]; then
    printf 'process %s of %s in %s, since %s\n' "$$" "$(id -un)" "$ROOT" "$(date '+%F %T')" >"$file"
  fi
}

lock_holder() { # FILE
  local holder
  holder=$(cat "$1")
  printf '%s' "${holder:-another process holds $1}"
}
