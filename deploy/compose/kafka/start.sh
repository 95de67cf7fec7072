#!/usr/bin/env bash
# Formats the broker's storage once, with the administrator's password in it, then serves.
set -euo pipefail
export LOG_DIR=/tmp/kafka EXTRA_ARGS="-name kafkaServer" KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=/opt/ecm/log4j2.properties"

# Written last by a format, so one that was cut short is begun anew.
if [[ ! -f /var/lib/kafka/data/topics/meta.properties ]]; then
  rm -rf /var/lib/kafka/data/topics
  cluster=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n')
  # Its output shows the salted keys: only the end of a failed one is shown.
  /opt/kafka/bin/kafka-storage.sh format "--cluster-id=$cluster" --config /opt/ecm/server.properties \
    --add-scram "SCRAM-SHA-512=[name=ecm-admin,password=$(</run/secrets/administrator)]" > /tmp/format.log 2>&1 \
    || { grep -v SCRAM /tmp/format.log | tail -n 5; exit 1; }
  rm -f /tmp/format.log
fi
exec /opt/kafka/bin/kafka-server-start.sh /opt/ecm/server.properties
