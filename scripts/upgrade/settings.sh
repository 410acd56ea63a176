# shellcheck shell=bash disable=SC2034,SC2153 # the parts share their variables
# The tags in .env: what `docker compose up -d` takes from now on.

readonly TAG_VARIABLES='RUNTIME_TAG runtime
OPENCLAW_TAG openclaw-gateway'

# Calls ACTION VARIABLE TAG for what changes and what .env would give another tag.
each_tag_to_keep() { # ACTION
  local variable service tag
  while read -r variable service; do
    is_changed "$service" || continue
    tag=$(tag_of "${WANTED_REF[$service]}")
    if [ -n "$tag" ] && [ "$tag" != "$(tag_of "$(ref_by_file "$service")")" ]; then
      "$1" "$variable" "$tag"
    fi
  done <<<"$TAG_VARIABLES"
}

keep_tag() { # VARIABLE TAG
  if set_variable "$1" "$2"; then
    say "$ENV_FILE has $1=$2 now."
  else
    complain "$ENV_FILE could not be written: set $1=$2 in it, or the next docker compose up -d changes the image."
  fi
}

tell_tag_to_keep() { # VARIABLE TAG
  say "Would then set $1=$2 in $ENV_FILE."
}

# What compose would run for a service without the tags in our environment.
ref_by_file() (
  unset RUNTIME_TAG OPENCLAW_TAG
  read_configuration
  printf '%s' "${WANTED_REF[$1]:-}"
)

# name:tag -> tag; nothing for a digest, or a name alone.
tag_of() {
  [[ $1 =~ :([A-Za-z0-9_][A-Za-z0-9_.-]*)$ && $1 != *@* ]] || return 0
  printf '%s' "${BASH_REMATCH[1]}"
}

# An image that is kept has its tag for good, and `previous` moves: nothing is built onto either.
is_fixed_tag() { [ "$1" = previous ] || [[ $1 == held-* ]]; }

# The file is whole at every moment, and keeps its owner and mode; a link to it stays a link.
set_variable() { # NAME VALUE
  local file new
  file=$(readlink -f -- "$ENV_FILE") && new=$(mktemp "$file.XXXXXX") || return 1
  if cp -p -- "$file" "$new" && awk -v name="$1" -v value="$2" '
    $0 ~ "^[ \t]*(export[ \t]+)?" name "[ \t]*=" { if (!done) print name "=" value; done = 1; next }
    { print }
    END { if (!done) print name "=" value }' "$file" >"$new" && mv -f -- "$new" "$file"; then
    return 0
  fi
  rm -f -- "$new"
  return 1
}
