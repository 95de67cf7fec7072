#!/usr/bin/env bash
# What the public image's entry point does of it: makes a new cluster by POSTGRES_PASSWORD_FILE and
# POSTGRES_INITDB_ARGS, then serves on every address with passwords.
set -euo pipefail
if [[ ! -s $PGDATA/PG_VERSION ]]; then
  mkdir -p "$PGDATA"
  chmod 0700 "$PGDATA"
  # shellcheck disable=SC2086 # the arguments are words
  initdb --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" $POSTGRES_INITDB_ARGS > /tmp/initdb.log
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
fi
exec "$@" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql
