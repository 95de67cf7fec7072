"""The names of a region's topics."""


def service_topic(region_slug: str, service: str) -> str:
    """The internal topic of one service's thin events."""
    return f"ecm.{region_slug}.{service}.v1"


def client_topic(region_slug: str, client: str) -> str:
    """The topic of one partner client."""
    return f"ecm.{region_slug}.client.{client}.v1"


def dead_letter_topic(topic: str, consumer: str) -> str:
    """Where `consumer` (a service's short name) puts the events of `topic` that it can't handle."""
    return f"{topic}.{consumer}.dlq"
