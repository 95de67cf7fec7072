"""A YOT's case-management system, as far as the journey needs one: gRPC with people's tokens."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc

from ecm.admin.running import RunningRegion
from ecm.api.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from ecm.api.exchange.v1.exchange_service_pb2_grpc import ExchangeServiceStub
from ecm.api.formulation.v1.formulation_service_pb2_grpc import FormulationServiceStub
from ecm.api.monitoring.v1.monitoring_service_pb2_grpc import MonitoringServiceStub
from ecm.api.referrals.v1.referrals_service_pb2_grpc import ReferralsServiceStub

DEADLINE_SECONDS = 30.0
TOKEN_SECONDS = 200.0


@dataclass(slots=True)
class Yot:
    """Calls the five services as one of the people of `people.yaml`.

    `yot.call("case-manager", yot.referrals.GetChild, GetChildRequest(...))` answers the response message or
    raises `grpc.RpcError`.
    """

    stack: RunningRegion
    _channels: list[grpc.Channel] = field(default_factory=list)
    _tokens: dict[str, tuple[float, str]] = field(default_factory=dict)
    referrals: ReferralsServiceStub = field(init=False)
    consent: ConsentServiceStub = field(init=False)
    formulation: FormulationServiceStub = field(init=False)
    monitoring: MonitoringServiceStub = field(init=False)
    exchange: ExchangeServiceStub = field(init=False)

    def __post_init__(self) -> None:
        self.referrals = ReferralsServiceStub(self._channel("referrals"))
        self.consent = ConsentServiceStub(self._channel("consent"))
        self.formulation = FormulationServiceStub(self._channel("formulation"))
        self.monitoring = MonitoringServiceStub(self._channel("monitoring"))
        self.exchange = ExchangeServiceStub(self._channel("exchange"))

    def call(self, person: str, method: Callable[..., Any], request: Any, *, key: str = "") -> Any:
        """One call, with a fresh idempotency key unless `key` repeats an earlier command."""
        metadata = (
            ("authorization", f"Bearer {self._token(person)}"),
            ("idempotency-key", key or str(uuid.uuid4())),
        )
        return method(request, metadata=metadata, timeout=DEADLINE_SECONDS)

    def close(self) -> None:
        """Close the channels."""
        for channel in self._channels:
            channel.close()

    def _channel(self, service: str) -> grpc.Channel:
        channel = grpc.insecure_channel(self.stack.addresses[service])
        self._channels.append(channel)
        return channel

    def _token(self, person: str) -> str:
        got_at, token = self._tokens.get(person, (0.0, ""))
        if time.monotonic() - got_at > TOKEN_SECONDS or not token:
            token = self.stack.token(person=person)
            self._tokens[person] = (time.monotonic(), token)
        return token
