"""Kafka: events, outbox, inbox, consumer, and the traps of aiokafka (parts.md) kept in one place."""
