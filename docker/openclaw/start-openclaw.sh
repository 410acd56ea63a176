#!/bin/sh
# Starts the OpenClaw gateway: merges the environment into its configuration, checks the result, and becomes the gateway.
# Never prints a token or the configuration.
set -eu
umask 077

SECRETS_DIR=${SECRETS_DIR:-/run/secrets}
APP_DIR=${APP_DIR:-/opt/mission-control}

# A secret is a variable, or a file of its name: `docker inspect` shows variables.
for name in OPENCLAW_GATEWAY_TOKEN ANTHROPIC_API_KEY OPENAI_API_KEY CUSTOM_MODEL_API_KEY TELEGRAM_BOT_TOKEN \
  DISCORD_BOT_TOKEN SLACK_BOT_TOKEN SLACK_APP_TOKEN; do
  eval "value=\${$name:-}"
  if [ -z "$value" ] && [ -r "$SECRETS_DIR/$name" ]; then
    value=$(cat "$SECRETS_DIR/$name")
  fi
  # An empty variable is worse than none: it would count as a key.
  if [ -n "$value" ]; then export "$name=$value"; else unset "$name"; fi
done
if [ -z "${OPENCLAW_GATEWAY_TOKEN:-}" ]; then
  echo "start-openclaw: OPENCLAW_GATEWAY_TOKEN is not set: set it, or put the token into $SECRETS_DIR/OPENCLAW_GATEWAY_TOKEN" >&2
  exit 78
fi

node "$APP_DIR/configure.ts"
if ! problems=$(openclaw config validate --json 2>&1); then
  echo "start-openclaw: OpenClaw refuses $OPENCLAW_CONFIG_PATH:" >&2
  # Paths and messages alone: the rest may hold what was written there.
  printf '%s\n' "$problems" | node "$APP_DIR/issues.ts" >&2
  exit 78
fi

# Its parent ends at once, so that the container's init takes it over, and not the gateway, which would not reap it.
(node "$APP_DIR/roster.ts" &)

# exec: the gateway itself gets the signals. The token is in its environment, not on its command line.
exec openclaw gateway run --port 18789
