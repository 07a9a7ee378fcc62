"""What the settings describe, made: the line with the archives that it may read."""

from pathlib import Path

from crypto_pipeline.bootstrap import open_line
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.settings import load_settings

PREFIX = "CRYPTO_PIPELINE_"


def line_of(tmp_path: Path, **environment: str) -> Line:
    """The line of these settings; nothing is connected to yet."""
    settings = {
        "DATABASE_URL": "postgresql://localhost/nowhere",
        "DATA_DIR": str(tmp_path),
        **environment,
    }
    return open_line(load_settings({f"{PREFIX}{key}": value for key, value in settings.items()}))


def test_archives_are_found_by_the_venue_whose_files_they_hold(tmp_path: Path) -> None:
    """Each enabled provider that has files; they are put into the data directory meanwhile."""
    line = line_of(tmp_path)

    assert {"binance": "binance_vision", "binance_usdm": "binance_vision_usdm"} == {
        venue: provider.name for venue, provider in line.archives.items()
    }
    assert tmp_path / "archive" == line.archive_directory


def test_archive_that_is_disabled_is_not_read(tmp_path: Path) -> None:
    """Then all comes from the venue."""
    line = line_of(tmp_path, PROVIDERS__BINANCE_VISION__ENABLED="false")

    assert ["binance_usdm"] == list(line.archives)
    assert "binance" in line.providers


def test_archive_elsewhere_is_listed_there(tmp_path: Path) -> None:
    """A mirror of one's own answers for both, files and listing."""
    line = line_of(tmp_path, PROVIDERS__BINANCE_VISION__BASE_URL="http://localhost:1/mirror")
    provider = line.archives["binance"]

    assert provider.archive is not None
    assert {"http://localhost:1/mirror"} == {provider.base_url, provider.archive.listing_url}
