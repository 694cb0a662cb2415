#!/usr/bin/env bash
# Counts the instructions of a release build's commonest commands with valgrind's callgrind, against the emulator, and
# compares them with bench/instructions.txt. They do not move with the machine's load, so a change of more than 5 % is
# the program's own. `bench/instructions.sh --update` writes the file anew.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked --quiet
sdc=$PWD/target/release/sdc
figures=$PWD/bench/instructions.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work/home
mkdir -p "$HOME/.ssh"
chmod 700 "$HOME/.ssh"
unset SSH_AUTH_SOCK "${!SDC_@}" "${!TRITON_@}"

ssh-keygen -q -t rsa -b 2048 -m PEM -N '' -C bench -f "$work/rsa"
ssh-keygen -q -t ed25519 -N '' -C bench -f "$work/ed25519"

cat >"$work/count" <<'INNER'
# count NAME COMMAND...: the first run fills the cache of image names.
set -euo pipefail
before=()
count() {
    local name=$1
    shift
    "${before[@]}" "$@" >/dev/null
    "${before[@]}" valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" >/dev/null 2>"$WORK/log"
    printf '%s %s\n' "$name" "$(sed -n 's/.*Collected : *\([0-9]*\).*/\1/p' "$WORK/log" | tail -1)"
}
export SDC_KEY_ID= TRITON_KEY_ID=
count version "$SDC" --version
for key in rsa ed25519; do
    export SDC_KEY_FILE=$WORK/$key
    count "list-json-$key" "$SDC" machines list --json
    count "list-table-$key" "$SDC" machines list
done
# Where the services are is known from the first run. SAPI's address alone is set, as in a job of cron: each variable
# costs a thousand instructions.
account=$("$SDC" account get -o id -H)
before=(env -i "PATH=$PATH" "HOME=$HOME" "SDC_SAPI_URL=$SDC_SAPI_URL")
count admin-vms-json "$SDC" admin vms list --limit 25 --json
count admin-vms-owner-json "$SDC" admin vms list "owner=$account" --json
count admin-vms-table "$SDC" admin vms list --limit 25
INNER

WORK=$work SDC=$sdc "$sdc" emulator exec --admin --machines 25 --authorize "$work/rsa.pub" --authorize "$work/ed25519.pub" -- \
    bash "$work/count" >"$work/new"

if [[ ${1:-} == --update ]]; then
    cp "$work/new" "$figures"
    cat "$figures"
    exit 0
fi
grown=0
while read -r name now; do
    before=$(awk -v name="$name" '$1 == name { print $2 }' "$figures")
    change=$(awk -v a="${before:-$now}" -v b="$now" 'BEGIN { printf "%+.1f", (b - a) * 100 / a }')
    printf '%-20s %12d  %s %%\n' "$name" "$now" "$change"
    if awk -v change="$change" 'BEGIN { exit !(change > 5) }'; then
        grown=1
    fi
done <"$work/new"
if [[ $grown == 1 ]]; then
    echo "grown by more than 5 %: find out why, or bench/instructions.sh --update and say so in docs/performance.md"
    exit 1
fi
