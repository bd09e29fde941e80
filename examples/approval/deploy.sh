#!/usr/bin/env bash
# An approval gate: asks where a version goes, and for production whether it really should, then deploys it.
# Try it by hand:  MCPTASK_ARG_VERSION=1.2 MCPTASK_LOCAL=--local ./deploy.sh
set -euo pipefail
version=${MCPTASK_ARG_VERSION:?the version to deploy}
local=${MCPTASK_LOCAL:-}

not_deployed() {
  echo "Version $version was not deployed: $1."
  exit 0
}

where=$(mcptask ask $local "Where should version $version go?" --choose staging,production --title Environment) ||
  not_deployed "nobody chose an environment"

if [ "$where" = production ]; then
  if ! mcptask ask $local --confirm "Deploy version $version to production, now?" --timeout 30m; then
    not_deployed "production was not approved"
  fi
fi

step=0
for what in "building $version" "uploading to $where" "switching over"; do
  mcptask report $local "$step/3" "$what"
  # What really builds, uploads and switches goes here.
  step=$((step + 1))
done
echo "Version $version is on $where."
