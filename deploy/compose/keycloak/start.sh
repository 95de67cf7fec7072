#!/usr/bin/env bash
# Keycloak takes passwords from its environment alone; here they stand in files.
set -euo pipefail
KC_DB_PASSWORD=$(</run/secrets/database)
KC_BOOTSTRAP_ADMIN_PASSWORD=$(</run/secrets/administrator)
export KC_DB_PASSWORD KC_BOOTSTRAP_ADMIN_PASSWORD
# Keycloak refuses an empty one.
[[ -n ${KC_PROXY_HEADERS:-} ]] || unset KC_PROXY_HEADERS
exec /opt/keycloak/bin/kc.sh start --optimized
