"""The region's agencies and registered professionals, as everybody may find them."""

from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.exchange.locks import lock_record
from ecm.exchange.mapping import MappedResource, MappingContext
from ecm.exchange.mapping.directory import organization, practitioner
from ecm.exchange.mapping.ids import directory_record
from ecm.exchange.projection.replace import Replacement
from ecm.kit.ids import Ids
from ecm.kit.region import Region


def mapping_context(region: Region) -> MappingContext:
    """What mappings need to know of the region."""
    model = region.recovery_model
    return MappingContext(
        region=region.slug,
        identifier_base=region.local_identifier_base,
        agency_kinds={agency.id: agency.kind for agency in region.agencies},
        yot_agencies={yot.id: yot.agency for yot in region.yots},
        recovery_model=(model.code, model.version),
        registrations={key: agency for key, (_, agency) in _registered(region).items()},
    )


def directory(region: Region) -> list[MappedResource]:
    """Organizations, and the Practitioners whom the region's clients may assert."""
    agencies = [organization(region.slug, one.id, one.name, one.kind, one.ods) for one in region.agencies]
    people = [practitioner(region.slug, name, *key) for key, (name, _) in sorted(_registered(region).items())]
    return [*agencies, *people]


async def publish_directory(engine: AsyncEngine, region: Region, ids: Ids) -> bool:
    """Makes the region file's directory the one that is served; returns whether it changed."""
    record_id = directory_record(region.slug)
    async with engine.begin() as conn:
        await lock_record(conn, record_id)
        return bool(await Replacement(conn, ids, record_id, None).apply(directory(region)))


def _registered(region: Region) -> dict[tuple[str, str], tuple[str, str]]:
    """(register, number) → name, and the agency whose client may assert them."""
    people = [(person, client.agency) for client in region.clients for person in client.practitioners]
    return {(one.registration_system, one.registration): (one.name, agency) for one, agency in people}
