#!/bin/sh
# Makes docker/.env with a fresh secret for everything that compose.yaml and compose.monitoring.yaml ask for, readable by its owner alone.
# It never touches a file that is there: a database keeps the password it was made with.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
file=$here/.env
if [ -e "$file" ]; then
  echo "$file is there already; nothing was changed" >&2
  exit 2
fi

secret() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

umask 077
fresh=$(mktemp "$here/.env.XXXXXX")
trap 'rm -f "$fresh"' EXIT
sed -n 's/.*\${\(SHELTER_[A-Z0-9_]*\):?.*/\1/p' "$here/compose.yaml" "$here/compose.monitoring.yaml" | sort -u | while read -r name; do
  echo "$name=$(secret)"
done > "$fresh"
mv "$fresh" "$file"
trap - EXIT
echo "made $file; keep a copy of it where your passwords are"
