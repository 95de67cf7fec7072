#!/usr/bin/env bash
exec java ${KAFKA_HEAP_OPTS:-} -XX:-UsePerfData ${KAFKA_LOG4J_OPTS:-} -cp "/opt/kafka/libs/*" kafka.Kafka "$@"
