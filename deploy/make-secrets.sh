#!/bin/sh
# Makes what compose.yaml asks for and git must never see: a password for PostgreSQL, a key with which Prometheus may
# read the metrics and nothing else, one with which training registers its adapter, and both keys' digests for the
# gateway. What is there already is kept.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 0700 secrets
for name in postgres_password metrics_key training_key; do
    [ -s "secrets/$name" ] && continue
    head -c 32 /dev/urandom | base64 | tr -d '+/=\n' >"secrets/.$name"
    # Containers read it under their own user; on this host the folder keeps everybody else out.
    chmod 0444 "secrets/.$name"
    mv "secrets/.$name" "secrets/$name"
done
key() {
    printf '{"name": "%s", "sha256": "%s", "scopes": ["%s"]}' "$1" "$(sha256sum <"secrets/$2" | cut -d ' ' -f 1)" "$3"
}
printf "WARDGATE_KEYS='[%s, %s]'\n" "$(key prometheus metrics_key metrics)" "$(key training training_key admin)" >secrets/.gateway.env
mv secrets/.gateway.env secrets/gateway.env
