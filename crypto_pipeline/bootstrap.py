"""Makes what the settings describe: the database's address, the line. The front doors share it."""

from datetime import UTC, datetime

from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.settings import Settings
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.server import EmbeddedServer


def embedded_server(settings: Settings) -> EmbeddedServer | None:
    """The server that is ours to start and stop, or None where the user has one."""
    if settings.database_url is not None:
        return None
    return EmbeddedServer(settings.data_dir, settings.postgres.port)


def open_database(settings: Settings) -> Database:
    """Where the warehouse is; the embedded server must be running."""
    if settings.database_url is not None:
        return Database(settings.database_url.get_secret_value())
    return Database(EmbeddedServer(settings.data_dir, settings.postgres.port).url())


def open_line(settings: Settings) -> Line:
    """The line over the configured providers and the running database."""
    providers = settings.enabled_providers()
    return Line(
        database=open_database(settings),
        providers=providers,
        series=settings.series(),
        since=settings.starts_at(datetime.now(UTC)),
        observed=settings.observed_series(),
        trusted=settings.trusted_providers(),
        archives={one.archive.venue: one for one in providers.values() if one.archive},
        retention=settings.retention_days(),
        archive_directory=settings.data_dir / "archive",
    )
