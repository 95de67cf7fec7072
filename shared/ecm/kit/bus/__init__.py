"""Kafka: events, outbox, inbox, consumer, and the traps of aiokafka kept in one place."""
