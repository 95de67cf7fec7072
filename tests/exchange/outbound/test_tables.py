"""`tables/` says what the migrations make."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from ecm.exchange.disclosure.predicate import consent_predicate
from ecm.exchange.tables import APPEND_ONLY, metadata
from ecm.kit.db.engine import make_engine
from ecm.kit.db.tables import metadata as common
from exchange.outbound.world import World


def _differences(connection: Connection) -> list[object]:
    theirs = set(common.tables) | {"alembic_version"}

    def ours(_: object, name: str | None, kind: str, *__: object) -> bool:
        return kind != "table" or name not in theirs

    options = {"include_object": ours, "compare_type": True, "compare_server_default": False}
    return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


async def test_tables_and_migrations_agree(urls: dict[str, str]) -> None:
    engine = make_engine(urls["owner"], app_name="test")
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await engine.dispose()


async def test_what_is_append_only_is_granted_so(world: World) -> None:
    query = "SELECT array_agg(privilege_type::text ORDER BY 1) FROM information_schema.role_table_grants"
    for table in metadata.tables:
        condition = " WHERE grantee = 'ecm_exchange_app' AND table_name = $1"
        rights = set(await world.sql.fetchval(query + condition, table) or ())
        if table in APPEND_ONLY:
            assert rights == {"INSERT", "SELECT"}
        elif table != "exchange_state":
            assert rights == {"INSERT", "SELECT", "UPDATE", "DELETE"}


async def test_the_function_in_the_database_carries_the_predicate_of_today(world: World) -> None:
    source = await world.sql.fetchval("SELECT prosrc FROM pg_proc WHERE proname = 'disclose'")
    for alias in ("r", "c"):
        predicate = consent_predicate(alias, recipient="p_agency", purpose="a.purpose", at="v_at", opened="o")
        assert predicate in source
