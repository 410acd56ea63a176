#!/bin/sh
# Starts the OpenClaw gateway: merges the environment into its configuration, checks the result, and becomes the gateway.
# Never prints a token or the configuration.
set -eu
umask 077

APP_DIR=${APP_DIR:-/opt/mission-control}

node "$APP_DIR/configure.ts"
# The gateway and what its agents start inherit none of them: configure.ts has put them into a file.
unset OPENCLAW_GATEWAY_TOKEN ANTHROPIC_API_KEY OPENAI_API_KEY CUSTOM_MODEL_API_KEY TELEGRAM_BOT_TOKEN \
  DISCORD_BOT_TOKEN SLACK_BOT_TOKEN SLACK_APP_TOKEN
if ! problems=$(openclaw config validate --json 2>&1); then
  echo "start-openclaw: OpenClaw refuses $OPENCLAW_CONFIG_PATH:" >&2
  # Paths and messages alone: the rest may hold what was written there.
  printf '%s\n' "$problems" | node "$APP_DIR/issues.ts" >&2
  exit 78
fi

# Its parent ends at once, so that the container's init takes it over, and not the gateway, which would not reap it.
(node "$APP_DIR/roster.ts" &)

# exec: the gateway itself gets the signals.
exec openclaw gateway run --port 18789
