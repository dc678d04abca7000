#!/bin/sh
# Makes what compose.yaml asks for and git must never see: a password for PostgreSQL, a key with which Prometheus may
# read the metrics and nothing else, and that key's digest for the gateway. What is there already is kept.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 0700 secrets
for name in postgres_password metrics_key; do
    [ -s "secrets/$name" ] && continue
    head -c 32 /dev/urandom | base64 | tr -d '+/=\n' >"secrets/.$name"
    # Containers read it under their own user; on this host the folder keeps everybody else out.
    chmod 0444 "secrets/.$name"
    mv "secrets/.$name" "secrets/$name"
done
digest=$(sha256sum <secrets/metrics_key | cut -d ' ' -f 1)
printf "WARDGATE_KEYS='[{\"name\": \"prometheus\", \"sha256\": \"%s\", \"scopes\": [\"metrics\"]}]'\n" "$digest" >secrets/.gateway.env
mv secrets/.gateway.env secrets/gateway.env
