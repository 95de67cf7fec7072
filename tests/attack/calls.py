"""Every RPC of every service under random requests: well-formed ones with hostile values, and bytes that are none."""

import uuid
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from random import Random
from typing import Any

import grpc
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from attack.hostile import CANARY, broken, text
from ecm.kit.names import SERVICES
from ecm.local.stack import Stack
from rpc.expected_roles import EXPECTED, ROLES

FAULTS = frozenset({grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS})
LEAKS = ("Traceback", 'File "', "SELECT ", "INSERT ", "asyncpg", "sqlalchemy", "psycopg", CANARY)
DEEPEST = 4
SETS = frozenset({"ApplyGrants", "ApplyRegion"})
"""What `consent` alone sends: a made-up one that is taken would be the region's from then on."""


@cache
def methods() -> tuple[tuple[str, MethodDescriptor], ...]:
    """(service, RPC) of all five."""
    found = []
    for service in SERVICES:
        module = import_module(f"ecm.api.{service}.v1.{service}_service_pb2")
        found += [(service, each) for each in module.DESCRIPTOR.services_by_name[f"{service.title()}Service"].methods]
    return tuple(found)


class Calls:
    """Makes calls as whoever is admitted, so that requests get as far as they can. `ids` are some of real records."""

    def __init__(self, stack: Stack, ids: Sequence[str]) -> None:
        self._stack = stack
        self._ids = tuple(ids)
        self._channels = {service: grpc.insecure_channel(stack.addresses[service]) for service in SERVICES}
        self._tokens: dict[tuple[str, str], str] = {}

    def close(self) -> None:
        """Closes the channels."""
        for channel in self._channels.values():
            channel.close()

    def run(self, count: int, seed: int) -> Counter[str]:
        """So many calls, all RPCs in turn; how often each status came. AssertionError for a fault or a leak."""
        seen: Counter[str] = Counter()
        every = methods()
        for number in range(count):
            service, method = every[number % len(every)]
            random = Random(f"{seed}/{number}")
            code, details = self._call(service, method, self._request(random, method), random)
            where = f"seed {seed}, call {number}, {method.name}: {code.name} {details}"
            assert code not in FAULTS, where
            assert not any(leak in details for leak in LEAKS), where
            seen[code.name] += 1
        return seen

    def _request(self, random: Random, method: MethodDescriptor) -> bytes:
        made: Any = self.message(random, method.input_type)
        if method.name in SETS:
            # Older than what stands: read whole, and applied to nothing.
            made.epoch = made.version = 0
        message = made.SerializeToString()
        match random.randrange(6):
            case 0 if method.name not in SETS:
                return broken(random, message)
            case 1:
                return random.randbytes(random.randrange(200))
            case _:
                return message

    def _call(self, service: str, method: MethodDescriptor, request: bytes, random: Random) -> tuple[Any, str]:
        unary = self._channels[service].unary_unary(f"/{method.containing_service.full_name}/{method.name}")
        token = self._token(service, method.name, random)
        metadata = (
            ("authorization", f"Bearer {token}"),
            ("idempotency-key", str(uuid.UUID(int=random.getrandbits(128)))),
        )
        try:
            unary(request, metadata=metadata, timeout=15)
        except grpc.RpcError as error:
            return error.code(), error.details() or ""
        return grpc.StatusCode.OK, ""

    def _token(self, service: str, name: str, random: Random) -> str:
        word = random.choice([word for word in EXPECTED[service][name].split() if not word.startswith("+")] or ["cm"])
        return self._cached(word, service)

    def _cached(self, word: str, service: str) -> str:
        key = (word, service if word.startswith("@") else "")
        if key not in self._tokens:
            self._tokens[key] = (
                self._stack.token(client=f"ecm-{word[1:]}", audience=f"ecm-{service}")
                if word.startswith("@")
                else self._stack.token(person=ROLES[word])
            )
        return self._tokens[key]

    def message(self, random: Random, descriptor: Descriptor, depth: int = 0) -> Message:
        """A well-formed message with some of its fields set."""
        made: Message = GetMessageClass(descriptor)()
        if descriptor.full_name == "google.protobuf.Any":
            return made
        for field in descriptor.fields:
            if depth < DEEPEST and random.random() < 0.7:
                self._put(random, made, field, depth)
        return made

    def _put(self, random: Random, made: Message, field: FieldDescriptor, depth: int) -> None:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return
        if field.message_type is not None:
            target = getattr(made, field.name)
            for _ in range(random.randrange(3) if field.is_repeated else 1):
                inner = self.message(random, field.message_type, depth + 1)
                (target.add() if field.is_repeated else target).CopyFrom(inner)
            return
        if field.is_repeated:
            getattr(made, field.name).extend(self._scalar(random, field) for _ in range(random.randrange(3)))
        else:
            setattr(made, field.name, self._scalar(random, field))

    def _scalar(self, random: Random, field: FieldDescriptor) -> Any:
        match field.type:
            case FieldDescriptor.TYPE_STRING:
                said = random.choice((*self._ids, *self._ids, "eastvale", text(random), str(uuid.UUID(int=1))))
                return said.encode("utf-8", "replace").decode()
            case FieldDescriptor.TYPE_BYTES:
                return random.randbytes(random.randrange(40))
            case FieldDescriptor.TYPE_BOOL:
                return random.random() < 0.5
            case FieldDescriptor.TYPE_ENUM:
                return random.choice((*(each.number for each in field.enum_type.values), 99, -1))
            case FieldDescriptor.TYPE_DOUBLE | FieldDescriptor.TYPE_FLOAT:
                return random.choice((0.0, -1.0, 1e30, float("nan"), float("inf")))
            case _:
                return random.choice(_INTEGERS[field.cpp_type])


_SMALL = (0, 1, 2, 3, 7, 12, 31, 99, 2026)
_INTEGERS: dict[int, tuple[int, ...]] = {
    FieldDescriptor.CPPTYPE_INT32: (*_SMALL, -1, 2**31 - 1, -(2**31)),
    FieldDescriptor.CPPTYPE_INT64: (*_SMALL, -1, 2**63 - 1, -(2**63)),
    FieldDescriptor.CPPTYPE_UINT32: (*_SMALL, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (*_SMALL, 2**64 - 1),
}
