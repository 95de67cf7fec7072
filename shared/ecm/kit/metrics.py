"""Every metric of the services, by name, with what it tells and when to worry."""

from prometheus_client import Counter, Gauge, Histogram, start_http_server

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

# Calls answered, by method and gRPC status. Worry: INTERNAL at all, UNAUTHENTICATED in bursts.
RPC_CALLS = Counter("ecm_rpc_calls_total", "Calls answered.", ["method", "code"])
# How long a call took in the server, token check included. Worry: p99 above a second.
RPC_SECONDS = Histogram("ecm_rpc_seconds", "Seconds per call, in the server.", ["method"], buckets=_FAST)
# Calls to other services, by method and gRPC status. Worry: UNAVAILABLE that stays.
PEER_CALLS = Counter("ecm_peer_calls_total", "Calls made to other services.", ["method", "code"])
# Tokens checked, by outcome (`ok` or the reason). Worry: TOKEN_SIGNATURE, TOKEN_ALGORITHM.
TOKENS_CHECKED = Counter("ecm_tokens_checked_total", "Access tokens checked.", ["outcome"])
# Commands answered from a stored answer, by method. Many: a caller times out too early.
REPLAYS = Counter("ecm_idempotent_replays_total", "Commands answered again by their idempotency key.", ["method"])
# Outbox rows published. Flat while commands come in: the relay is stuck.
OUTBOX_PUBLISHED = Counter("ecm_outbox_published_total", "Outbox rows acknowledged by Kafka.", ["topic"])
# Outbox rows that wait. Worry: above zero for a minute.
OUTBOX_WAITING = Gauge("ecm_outbox_waiting", "Outbox rows not yet published, as last seen.", ["topic"])
# Seconds from a row's creation to Kafka's acknowledgement.
OUTBOX_SECONDS = Histogram("ecm_outbox_seconds", "Seconds from commit to acknowledgement.", ["topic"], buckets=_FAST)
# Producers thrown away after a fatal failure. One per broker outage is normal.
PRODUCERS_REPLACED = Counter("ecm_producers_replaced_total", "Kafka producers replaced.", ["topic"])
# Events handled, by consumer and outcome: done, passed_over (no concern), repeated, retried, dead. Worry: dead at all.
EVENTS = Counter("ecm_events_total", "Events handled.", ["consumer", "outcome"])
# Seconds per event, fetches included.
EVENT_SECONDS = Histogram("ecm_event_seconds", "Seconds per event handled.", ["consumer"], buckets=_FAST)
# Events that the broker has and the consumer hasn't. Worry: growing.
CONSUMER_LAG = Gauge("ecm_consumer_lag", "Events behind the end of the topic.", ["consumer"])
# Kafka consumers thrown away and made anew.
CONSUMERS_REPLACED = Counter("ecm_consumers_replaced_total", "Kafka consumers replaced.", ["consumer"])
# Narrowings recorded here that `consent` hasn't answered yet. Worry: above zero for a minute.
NARROWINGS_OPEN = Gauge("ecm_narrowings_open", "Narrowing intents not finished, as last seen.")

# Requests at the FHIR side that were turned away without an entry in the audit, by why: `client_rate` and `client_busy`
# (429), `bad_tokens` (429, of an address that sent many), `nameless` (without a token, of an address that sends many:
# answered, but late), `unavailable` (503), `malformed` and `too_large` (what isn't HTTP), `connections` (too many of
# one address), `slow` (a head, a body or an answer that took too long). Worry: the last four in bursts, client_rate of
# a partner that complains.
HTTP_TURNED_AWAY = Counter("ecm_http_turned_away_total", "Requests and connections turned away.", ["why"])
# Calls by people that came too fast. Worry: at all, since people don't type that fast.
RPC_LIMITED = Counter("ecm_rpc_limited_total", "Calls refused by rate.", [])


def serve_metrics(listen: str) -> None:
    """Serves /metrics on `host:port` from a thread of its own; nothing where `listen` is empty."""
    if not listen:
        return
    host, _, port = listen.rpartition(":")
    start_http_server(int(port), addr=host or "127.0.0.1")
