#!/bin/sh
# Makes the directories under DATA_DIR before anything is mounted from there, owned by the user that the containers run
# as: a directory that the engine has to make for a mount belongs to root. Makes the gateway's token as well.
# Runs at every `docker compose up`, and changes nothing that it has not made itself.
set -eu
umask 077

RUNTIME_DIR=${RUNTIME_DIR:-/runtime}
# The same directory as the host calls it, for what is said.
DATA_DIR=${DATA_DIR:-$RUNTIME_DIR}
OWNER=${OWNER:-1000:1000}
BIND_ADDRESS=${BIND_ADDRESS:-127.0.0.1}

say() { echo "prepare: $*" >&2; }

owner_of() { stat -c %u:%g "$1"; }

# Empty and root's: the engine made it for a mount.
is_of_engine() { [ -d "$1" ] && [ "$(owner_of "$1")" = 0:0 ] && [ -z "$(ls -A "$1")" ]; }

refuse() { # NAME
  say "$DATA_DIR/$1 belongs to user $(owner_of "$RUNTIME_DIR/$1") and not to $OWNER, so nothing was changed: chown it to $OWNER if it is this stack's, or set DATA_DIR to another directory."
  exit 78
}

check() { # NAME
  if [ -e "$RUNTIME_DIR/$1" ] && [ "$(owner_of "$RUNTIME_DIR/$1")" != "$OWNER" ] && ! is_of_engine "$RUNTIME_DIR/$1"; then
    refuse "$1"
  fi
}

own() { # NAME
  if [ ! -e "$RUNTIME_DIR/$1" ] || is_of_engine "$RUNTIME_DIR/$1"; then
    mkdir -p "$RUNTIME_DIR/$1"
    chown "$OWNER" "$RUNTIME_DIR/$1"
  fi
}

DIRECTORIES='state secrets secrets/runtime secrets/runtime/local secrets/runtime/convex secrets/gateway
secrets/gateway/from-settings roster gateway workspaces mission-control prometheus grafana'
TOKEN=secrets/gateway/OPENCLAW_GATEWAY_TOKEN
RUNTIME_TOKEN=secrets/runtime/OPENCLAW_GATEWAY_TOKEN

# All is looked at before anything is made.
for name in $DIRECTORIES $TOKEN $RUNTIME_TOKEN; do check "$name"; done
for name in $DIRECTORIES; do own "$name"; done

# Both sides of the connection read the same token.
if [ ! -s "$RUNTIME_DIR/$TOKEN" ]; then
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$RUNTIME_DIR/$TOKEN"
  chown "$OWNER" "$RUNTIME_DIR/$TOKEN"
fi
if ! cmp -s "$RUNTIME_DIR/$TOKEN" "$RUNTIME_DIR/$RUNTIME_TOKEN"; then
  cp "$RUNTIME_DIR/$TOKEN" "$RUNTIME_DIR/$RUNTIME_TOKEN"
  chown "$OWNER" "$RUNTIME_DIR/$RUNTIME_TOKEN"
fi

# What .env says of the gateway's secrets. A file goes when its setting does.
for name in OPENCLAW_GATEWAY_TOKEN ANTHROPIC_API_KEY OPENAI_API_KEY CUSTOM_MODEL_API_KEY TELEGRAM_BOT_TOKEN \
  DISCORD_BOT_TOKEN SLACK_BOT_TOKEN SLACK_APP_TOKEN; do
  eval "value=\${$name:-}"
  file=$RUNTIME_DIR/secrets/gateway/from-settings/$name
  rm -f "$file"
  [ -n "$value" ] || continue
  printf '%s' "$value" >"$file"
  chown "$OWNER" "$file"
done

case $BIND_ADDRESS in
  127.* | ::1 | '[::1]' | localhost) ;;
  *) say "BIND_ADDRESS=$BIND_ADDRESS opens the stack's ports to other machines, without TLS: 127.0.0.1 with a proxy before it is safer." ;;
esac
