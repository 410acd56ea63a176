#!/bin/sh
# docker compose exec runtime why engineer
exec node /app/why.mjs "$@"
