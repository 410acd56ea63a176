#!/bin/sh
# Makes the directories under .runtime/ before anything is mounted from there, owned by the user that the containers
# run as: a directory that the engine has to make for a mount belongs to root. Makes the gateway's token as well.
# Runs at every `docker compose up`, and changes nothing that is as it should be.
set -eu
umask 077

RUNTIME_DIR=${RUNTIME_DIR:-/runtime}
OWNER=${OWNER:-1000:1000}

own() {
  mkdir -p "$1"
  if [ "$(stat -c %u:%g "$1")" != "$OWNER" ]; then chown -R "$OWNER" "$1"; fi
}

chmod 755 "$RUNTIME_DIR"
for dir in state secrets secrets/runtime secrets/runtime/local secrets/runtime/convex secrets/gateway roster gateway \
  workspaces mission-control prometheus grafana; do
  own "$RUNTIME_DIR/$dir"
done

# Both sides of the connection read the same token.
token=$RUNTIME_DIR/secrets/gateway/OPENCLAW_GATEWAY_TOKEN
if [ ! -s "$token" ]; then
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$token"
fi
cp "$token" "$RUNTIME_DIR/secrets/runtime/OPENCLAW_GATEWAY_TOKEN"
chown "$OWNER" "$token" "$RUNTIME_DIR/secrets/runtime/OPENCLAW_GATEWAY_TOKEN"
