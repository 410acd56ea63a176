# shellcheck shell=bash disable=SC2034,SC2153 # the parts share their variables
# What the runtime says of itself. Asked inside its container: no port need be published, and the host needs no tool.

# One line: HTTP status, health status, versions of runtime and OpenClaw, runs under way, versions asked for, reason.
readonly ASK_HEALTH='
require("http").get({ port: process.env.HEALTH_PORT || 3000, path: "/health", timeout: 3000 }, (answer) => {
  let text = "";
  answer.on("data", (piece) => (text += piece)).on("end", () => {
    const { status, reason, versions, delivery, upgrade } = JSON.parse(text);
    const fields = [answer.statusCode, status, versions.runtime, versions.openclaw, delivery?.inFlight];
    fields.push(upgrade?.targetRuntimeVersion, upgrade?.targetOpenclawVersion, reason);
    console.log(fields.map((field) => String(field ?? "").replace(/[|\r\n]/g, " ")).join("|"));
  });
}).on("timeout", () => process.exit(1)).on("error", () => process.exit(1));'

H_CODE='' H_STATUS='' H_RUNTIME='' H_OPENCLAW='' H_IN_FLIGHT='' H_TARGET_RUNTIME='' H_TARGET_OPENCLAW='' H_REASON=''

# Sets H_*; returns 1, and leaves them empty, when nothing answers.
read_health() {
  local container line=
  container=$(container_of runtime)
  if [ -n "$container" ]; then
    line=$(docker exec "$container" node -e "$ASK_HEALTH" 2>/dev/null </dev/null) || line=
  fi
  IFS='|' read -r H_CODE H_STATUS H_RUNTIME H_OPENCLAW H_IN_FLIGHT H_TARGET_RUNTIME H_TARGET_OPENCLAW H_REASON <<<"$line"
  [ -n "$H_CODE" ]
}

# Writes down for the runtime how it went: it tells Mission Control (src/actors/upgrade-result.ts). Written with the
# runtime's own mounts and user, so that the file is its own, and with the old image, which works.
# shellcheck disable=SC2016 # JavaScript's own
readonly WRITE_RESULT='
const { writeFileSync, renameSync } = require("fs");
const [status, fromOpenclawVersion, toOpenclawVersion, fromRuntimeVersion, toRuntimeVersion, duration, requested, error] =
  process.argv.slice(1);
const file = `${process.env.STATE_DIR}/upgrade-result.json`;
const versions = { fromOpenclawVersion, toOpenclawVersion, fromRuntimeVersion, toRuntimeVersion };
const result = { status, ...versions, duration: Number(duration), requested: requested === "true" };
writeFileSync(`${file}.new`, JSON.stringify(error ? { ...result, error } : result));
renameSync(`${file}.new`, file);'

leave_result() { # success|rolled_back|failed TO_OPENCLAW TO_RUNTIME [ERROR]
  local container settings state user answer
  container=$(docker ps --all --quiet --filter "label=com.docker.compose.project=$PROJECT" \
    --filter label=com.docker.compose.service=runtime --filter label=com.docker.compose.oneoff=False | head -n 1)
  settings=$(docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$container" 2>/dev/null) || settings=
  state=$(sed -n 's/^STATE_DIR=//p' <<<"$settings")
  user=$(docker inspect --format '{{.Config.User}}' "$container" 2>/dev/null) || user=
  answer=$(docker run --rm --network none --volumes-from "$container" --user "${user:-0}" --env STATE_DIR="$state" \
    --entrypoint node "${IMAGE_ID[runtime]}" -e "$WRITE_RESULT" -- "$1" "$OLD_OPENCLAW" "$2" "$OLD_RUNTIME" "$3" \
    $(($(now_ms) - STARTED_MS)) "$REQUESTED" "${4:-}" 2>&1 </dev/null) && return 0
  complain "The result could not be left for the runtime, so Mission Control does not hear of it: $(last_line "$answer")"
}
