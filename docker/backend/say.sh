#!/bin/sh
# docker compose exec backend say "@engineer please look at the login bug"
exec node /app/src/cli/say.js "$@"
