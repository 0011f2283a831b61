#!/bin/bash
# Run once, by the entry point of Postgres, when its volume is empty: our three roles and the database.
set -euo pipefail

psql --set ON_ERROR_STOP=1 --username postgres \
  --set owner="$(cat /run/quire/owner/owner-password)" \
  --set app="$(cat /run/quire/app/password)" \
  --set reader="$(cat /run/quire/owner/reader-password)" <<'SQL'
create role quire_owner login password :'owner';
create role quire_app login password :'app';
create role quire_reader login password :'reader' in role pg_read_all_data;
create database quire owner quire_owner;
SQL

# psql has ended, its backend perhaps not yet: the entry point stops the server at once, and would
# have it log that it terminated a connection.
for _ in $(seq 500); do
  grep -qs '^postgres: postgres ' /proc/[0-9]*/cmdline || break
  sleep 0.02
done
