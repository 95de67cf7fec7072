"""The write handlers by interaction and type, as `Api.writes` takes them."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.exchange.api.answering import Projecting
from ecm.exchange.api.body import Reading
from ecm.exchange.api.create import create
from ecm.exchange.api.incoming import Handler
from ecm.exchange.api.update import update
from ecm.exchange.api.writing import Intake
from ecm.exchange.intake.forwarding import Forwarding
from ecm.exchange.intake.lookup import Lookup
from ecm.exchange.intake.memory import Memory
from ecm.exchange.intake.write_table import WRITABLE
from ecm.kit.region import Region
from ecm.kit.rpc.channel import Peer

_INTERACTIONS: Final = {"create": create, "update": update}


def write_handlers(
    engine: AsyncEngine, region: Region, formulation: Peer, projection: Projecting, reading: Reading
) -> Mapping[tuple[str, str], Handler]:
    """Handlers for every pair of the write table."""
    intake = Intake(region, Lookup(engine), Memory(engine), Forwarding(formulation), projection, reading)
    return {pair: partial(_INTERACTIONS[pair[0]], intake=intake) for pair in WRITABLE}
