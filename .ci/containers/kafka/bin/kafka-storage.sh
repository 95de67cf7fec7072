#!/usr/bin/env bash
exec java -Xmx128m -XX:-UsePerfData ${KAFKA_LOG4J_OPTS:-} -cp "/opt/kafka/libs/*" kafka.tools.StorageTool "$@"
