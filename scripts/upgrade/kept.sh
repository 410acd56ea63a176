# shellcheck shell=bash disable=SC2034,SC2153 # the parts share their variables
# The images that are kept to go back to. Each has a tag for good, held-<time>; `previous` is the one that ran before the
# last upgrade that held.

readonly KEPT=3

# name:tag -> name; nothing for a digest.
name_of() { [[ $1 == *@* ]] || printf '%s' "${1%:*}"; } # REF

# The tags of a name that are kept, the newest first.
held_tags() { # NAME
  docker image ls --filter "reference=$1:held-*" --format '{{.Tag}}' | sort -r
}

held_tag_of() { # NAME ID
  local tag
  while read -r tag; do
    [ -z "$tag" ] || [ "$(id_of "$1:$tag")" != "$2" ] || { printf '%s' "$tag" && return; }
  done < <(held_tags "$1")
}

# An image that has run gets a tag that stays, also when the tag that it ran under moves on.
hold() { # NAME ID
  local tag
  [ -n "$1" ] && [ -z "$(held_tag_of "$1" "$2")" ] || return 0
  tag=held-$(date -u +%Y%m%d-%H%M%S)
  # Two in one second.
  while [ -n "$(id_of "$1:$tag")" ]; do tag=$tag.1; done
  docker tag "$2" "$1:$tag"
}

# The images that run now can be had again whatever becomes of their tags.
keep_old_images() {
  local service
  for service in "${CHANGED[@]}"; do hold "$(name_of "${IMAGE_REF[$service]}")" "${IMAGE_ID[$service]}"; done
}

# Only an upgrade that held moves `previous`.
keep_history() {
  local service name new
  for service in "${CHANGED[@]}"; do
    name=$(name_of "${IMAGE_REF[$service]}")
    new=$(id_of "${WANTED_REF[$service]}")
    if [ -z "$name" ] || [ "$new" = "${IMAGE_ID[$service]}" ]; then continue; fi
    hold "$(name_of "${WANTED_REF[$service]}")" "$new"
    docker tag "${IMAGE_ID[$service]}" "$name:previous"
    forget_old_images "$name" "$new"
  done
}

# What is used, and what `previous` names, stays in any case.
forget_old_images() { # NAME ID-THAT-RUNS
  local tag id n=0
  while read -r tag; do
    n=$((n + 1))
    id=$(id_of "$1:$tag")
    if ((n > KEPT)) && [ "$id" != "$2" ] && [ "$id" != "$(id_of "$1:previous")" ]; then
      docker image rm "$1:$tag" >/dev/null 2>&1 || true
    fi
  done < <(held_tags "$1")
}

# `previous` moves with the next upgrade: .env gets a tag of that image that stays.
steady_tag() { # NAME
  local id tag
  id=$(id_of "$1:previous")
  [ -n "$id" ] || die_unchanged "There is no image $1:previous: no upgrade has held yet. --list lists what is kept."
  while read -r tag; do
    if [ -n "$tag" ] && ! is_fixed_tag "$tag"; then
      printf '%s' "$tag"
      return
    fi
  done < <(docker image inspect --format '{{range .RepoTags}}{{println .}}{{end}}' "$id" | sed -n "s|^$1:||p")
  hold "$1" "$id"
  held_tag_of "$1" "$id"
}

list_images() {
  local service name
  read_containers
  for service in runtime openclaw-gateway; do
    name=$(name_of "${WANTED_REF[$service]:-}")
    [ -n "$name" ] || continue
    list_images_of "$service" "$name"
  done
  say "npm run upgrade -- --tag TAG (for the gateway --openclaw-tag TAG) runs one of them."
}

list_images_of() { # SERVICE NAME
  local tag id notes previous
  previous=$(id_of "$2:previous")
  if [ -z "$(held_tags "$2")" ]; then
    say "$1: no image of $2 is kept yet; an upgrade keeps what ran before it."
    return
  fi
  say "$1 ($2):"
  while read -r tag; do
    id=$(id_of "$2:$tag")
    notes=
    [ "$id" != "${IMAGE_ID[$1]:-}" ] || notes=', runs now'
    [ "$id" != "$previous" ] || notes="$notes, previous"
    say "  $tag  version $(known "$(version_of "$id")"), image $(short "$id")$notes"
  done < <(held_tags "$2")
}
