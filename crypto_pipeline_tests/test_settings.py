"""The settings: the environment over one file over defaults, and a wrong one names itself."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from crypto_pipeline.errors import SettingsError
from crypto_pipeline.market.windows import midnight
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.binance import BINANCE
from crypto_pipeline.settings import Settings, load_settings

NOW = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
PASSWORD = "open-sesame"
URL = f"postgresql://me:{PASSWORD}@db.example/market"
Load = Callable[..., Settings]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads the settings of a file's text and of variables without their prefix."""
    monkeypatch.chdir(tmp_path)

    def loaded(file: str | None = None, **environment: str) -> Settings:
        if file is not None:
            (tmp_path / "crypto_pipeline.toml").write_text(file, encoding="utf-8")
        return load_settings({f"CRYPTO_PIPELINE_{key}": text for key, text in environment.items()})

    return loaded


def mistake(load: Load, file: str | None = None, **environment: str) -> str:
    """What is told of wrong settings."""
    with pytest.raises(SettingsError) as wrong:
        load(file, **environment)
    assert wrong.value.__cause__ is None
    assert wrong.value.exit_code == 2
    return str(wrong.value)


def test_nothing_has_to_be_set(load: Load) -> None:
    """Without file and variables the defaults collect five pairs by the minute from Binance."""
    settings = load()

    assert Settings() == settings
    assert [f"binance/{base}-USDT/1m" for base in ("BTC", "ETH", "BNB", "SOL", "XRP")] == [
        series.name for series in settings.series()
    ]
    assert settings.database_url is None
    assert settings.webserver.port == 3000


def test_file_is_read_from_the_working_directory(load: Load) -> None:
    """Each key of the file takes the default's place, the others stay."""
    settings = load('since = 2024-02-29\n[ohlc]\ninterval = "4h"\n[webserver]\nport = 3001\n')

    assert date(2024, 2, 29) == settings.since
    assert ("4h", 3001) == (settings.ohlc.interval, settings.webserver.port)
    assert len(settings.ohlc.instruments) == 5


def test_file_can_lie_elsewhere(load: Load, tmp_path: Path) -> None:
    """``CRYPTO_PIPELINE_CONFIG`` names another file, and then that one alone is read."""
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text("[webserver]\nport = 3002\n", encoding="utf-8")

    assert 3002 == load("[webserver]\nport = 3001\n", CONFIG=str(elsewhere)).webserver.port


def test_file_that_is_named_must_be_there(load: Load) -> None:
    """A name that leads nowhere is told; a default that leads nowhere is nothing."""
    assert "CRYPTO_PIPELINE_CONFIG names nowhere.toml, and there is no such file" == (
        mistake(load, CONFIG="nowhere.toml")
    )


def test_environment_goes_over_the_file(load: Load) -> None:
    """A variable replaces the one key it names and leaves its neighbours."""
    settings = load('[ohlc]\ninterval = "4h"\ninstruments = ["BTC-USDT"]\n', OHLC__INTERVAL="1d")

    assert ("1d", ("BTC-USDT",)) == (settings.ohlc.interval, settings.ohlc.instruments)


@pytest.mark.usefixtures("load")
def test_variables_of_others_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only our prefix counts, and only what is handed in, not what the process happens to have."""
    monkeypatch.setenv("CRYPTO_PIPELINE_OHLC__INTERVAL", "4h")

    assert load_settings({"OHLC__INTERVAL": "1d", "PATH": "/bin"}).ohlc.interval == "1m"
    assert load_settings().ohlc.interval == "4h"


@pytest.mark.parametrize(
    "text", ["BTC-USDT,ETH-USDT", " BTC-USDT , ETH-USDT ", "BTC-USDT,ETH-USDT,"]
)
def test_lists_are_words_with_commas_between(load: Load, text: str) -> None:
    """In the environment a list is one text."""
    assert ("BTC-USDT", "ETH-USDT") == load(OHLC__INSTRUMENTS=text).ohlc.instruments


def test_booleans_and_numbers_are_read_from_text(load: Load) -> None:
    """The environment knows only text; it means what it says."""
    settings = load(
        PROVIDERS__BINANCE__ENABLED="false",
        PROVIDERS__BINANCE__LIMITS__CONCURRENCY="7",
        DATA_DIR="/var/lib/pipeline",
    )

    assert not settings.providers["binance"].enabled
    assert 7 == settings.providers["binance"].limits.concurrency
    assert Path("/var/lib/pipeline") == settings.data_dir


WRONG = [
    (
        "OHLC__INTERVAL",
        "7m",
        "ohlc.interval = '7m': '7m' is not an interval: expected one of 1s, 1m",
    ),
    (
        "OHLC__INSTRUMENTS",
        "BTCUSDT",
        "'BTCUSDT' is not an instrument: write BASE-QUOTE in capitals",
    ),
    (
        "OHLC__VENUES",
        "mtgox",
        "ohlc.venues = 'mtgox': 'mtgox' is not a venue: expected one of binance, ",
    ),
    (
        "OHLC__VENUE",
        "binance",
        "no setting ohlc.venue; expected one of venues, instruments, interval",
    ),
    ("MARKET_PRICES__ASSETS", "bitcoinn", "'bitcoinn' is no asset we know: did you mean bitcoin"),
    ("MARKET_PRICES__PROVIDERS", "mtgox", "'mtgox' is no provider: 'crypto-pipeline providers'"),
    ("SENTIMENT__INDICES", "vix", "'vix' is no index: expected one of fear_greed"),
    ("GAS_PRICES__RPC__BASE", "mainnet.base.org", "gas_prices.rpc.base = 'mainnet.base.org'"),
    ("OHLC", "binance", "ohlc = 'binance'"),
    ("SINCE", "yesterday", "since = 'yesterday': Input should be a valid date"),
    ("SINCE", "2024-02-30", "since = '2024-02-30': Input should be a valid date"),
    ("SINCE", "2199-01-01", "since = 2199-01-01: the first day kept lies in the future"),
    ("WEBSERVER__PORT", "99999", "webserver.port = '99999': Input should be less than or equal to"),
    ("WEBSERVER__PORT", "http", "webserver.port = 'http': Input should be a valid integer"),
    ("POSTGRES__PORT", "0", "postgres.port = '0': Input should be greater than or equal to 1"),
    ("REPAIR__MAX_DAYS", "0", "repair.max_days = '0': Input should be greater than or equal to 1"),
    ("PROVIDERS__BINANCE__BASE_URL", "binance", "binance.base_url = 'binance': Input should be a"),
    ("PROVIDERS__BINANCE__MIRRORS", "ftp://x", "URL scheme should be 'http' or 'https'"),
    ("PROVIDERS__BINANCE__ENABLED", "maybe", "binance.enabled = 'maybe': Input should be a valid"),
    ("PROVIDERS__BINANCE__LIMITS__WEIGHT_PER_MINUTE", "0", "weight_per_minute = '0': Input should"),
    ("PROVIDERS__BINANCE__SPEED", "9", "there is no setting providers.binance.speed"),
    ("COLOUR", "blue", "there is no setting colour; expected one of data_dir, database_url, since"),
]


@pytest.mark.parametrize(("name", "text", "expected"), WRONG)
def test_wrong_variable_names_itself_and_what_is_due(
    load: Load, name: str, text: str, expected: str
) -> None:
    """The sentence begins with the variable, shows key and value, and says what was expected."""
    told = mistake(load, **{name: text})

    assert told.startswith(f"CRYPTO_PIPELINE_{name}: ")
    assert expected in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[ohlc]\ninterval = "7m"', "ohlc.interval = '7m': '7m' is not an interval"),
        ('[ohlc]\ninstruments = ["btc"]', "ohlc.instruments = 'btc': 'btc' is not an instrument"),
        ("[ohlc]\ninterval = 60", "ohlc.interval = 60: Input should be a valid string"),
        ("colour = 1", "there is no setting colour"),
        ("since = 2199-01-01", "since = 2199-01-01: the first day kept lies in the future"),
        (
            "[providers.mtgox]\nenabled = true",
            "there is no provider mtgox: 'crypto-pipeline providers' lists them",
        ),
        ("[webserver]\nport = 0", "webserver.port = 0: Input should be greater than or equal to 1"),
        ("[webserver", "cannot be read as TOML: "),
    ],
)
def test_wrong_line_names_the_file_and_what_is_due(load: Load, text: str, expected: str) -> None:
    """The same for the file."""
    told = mistake(load, text)

    assert told.startswith("crypto_pipeline.toml")
    assert expected in told


def test_file_in_another_encoding_is_told(load: Load, tmp_path: Path) -> None:
    """A file that is no UTF-8 is named, not shown as a traceback."""
    (tmp_path / "crypto_pipeline.toml").write_bytes(b'data_dir = "\xff"')

    assert mistake(load).startswith("crypto_pipeline.toml cannot be read as TOML: ")


def test_every_mistake_is_told_at_once(load: Load) -> None:
    """Each has its line and its place, so that nobody corrects them one start at a time."""
    told = mistake(load, '[ohlc]\ninterval = "7m"\n', WEBSERVER__PORT="0", COLOUR="blue")
    places = [line.partition(":")[0] for line in told.splitlines()]

    assert {
        "crypto_pipeline.toml",
        "CRYPTO_PIPELINE_WEBSERVER__PORT",
        "CRYPTO_PIPELINE_COLOUR",
    } == set(places)
    assert len(places) == 3


def test_secret_in_the_file_is_refused(load: Load) -> None:
    """A database's address can hold a password; files get copied, so it is not read from one, nor shown."""
    told = mistake(load, f'database_url = "{URL}"')

    assert told.startswith("crypto_pipeline.toml: database_url can hold a password")
    assert "set CRYPTO_PIPELINE_DATABASE_URL" in told
    assert PASSWORD not in told


def test_secret_comes_from_the_environment_and_is_never_shown(load: Load) -> None:
    """It is there for those who ask for it, and not in what is printed."""
    settings = load(DATABASE_URL=URL)

    assert settings.database_url is not None
    assert URL == settings.database_url.get_secret_value()
    assert PASSWORD not in repr(settings) + str(settings)


def test_wrong_secret_is_not_shown(load: Load) -> None:
    """Also where it is the mistake."""
    told = mistake(load, f'database_url = ["{PASSWORD}"]')

    assert "database_url = (hidden)" in told
    assert PASSWORD not in told


def test_settings_do_not_change(load: Load) -> None:
    """What was read once is the same for everybody."""
    with pytest.raises(ValueError, match="frozen"):
        load().since = date(2024, 1, 1)


def test_first_day_is_a_year_before_the_first_start(load: Load, tmp_path: Path) -> None:
    """Where nothing is set, the first start decides, and later starts remember."""
    settings = load(DATA_DIR=str(tmp_path))

    assert date(2025, 3, 4) == settings.first_day(NOW)
    assert date(2025, 3, 4) == settings.first_day(NOW.replace(year=2027))
    assert midnight(date(2025, 3, 4)) == settings.starts_at(NOW.replace(year=2028))


def test_first_day_that_is_set_is_not_remembered(load: Load, tmp_path: Path) -> None:
    """The setting decides as long as it is there."""
    settings = load(DATA_DIR=str(tmp_path), SINCE="2024-02-29")

    assert date(2024, 2, 29) == settings.first_day(NOW)
    assert date(2025, 3, 4) == load(DATA_DIR=str(tmp_path)).first_day(NOW)


def provider_of(load: Load, **changes: str) -> Mapping[str, object]:
    """What the settings make of Binance."""
    named = {f"PROVIDERS__BINANCE__{key}": text for key, text in changes.items()}
    provider = load(**named).enabled_providers()["binance"]
    return {"hosts": provider.hosts, "limits": provider.limits}


def test_untouched_provider_is_as_declared(load: Load) -> None:
    """Where nothing is set, the declaration holds."""
    assert PROVIDERS == load().enabled_providers()


def test_base_url_of_ones_own_has_no_mirrors_but_ones_own(load: Load) -> None:
    """Who points a provider elsewhere does not want to end at the real one."""
    assert ("http://127.0.0.1:8787/binance",) == (
        provider_of(load, BASE_URL="http://127.0.0.1:8787/binance/")["hosts"]
    )
    assert ("http://a.example", "http://b.example") == (
        provider_of(load, BASE_URL="http://a.example", MIRRORS="http://b.example")["hosts"]
    )


def test_mirrors_can_be_changed_alone(load: Load) -> None:
    """Other mirrors, or none, behind the declared host."""
    main = BINANCE.base_url

    assert (main, "https://a.example", "https://b.example") == (
        provider_of(load, MIRRORS="https://a.example,https://b.example")["hosts"]
    )
    assert (main,) == provider_of(load, MIRRORS="")["hosts"]


def test_limits_are_changed_one_by_one(load: Load) -> None:
    """A slower pace leaves the rest of the limits as declared."""
    limits = (
        load(PROVIDERS__BINANCE__LIMITS__WEIGHT_PER_MINUTE="100")
        .enabled_providers()["binance"]
        .limits
    )

    assert limits.weight_per_minute == 100
    assert BINANCE.limits.concurrency == limits.concurrency
    assert BINANCE.limits.used_weight_header == limits.used_weight_header


def test_disabled_provider_serves_nothing(load: Load) -> None:
    """Its series are not collected, and nobody can ask it."""
    settings = load(PROVIDERS__BINANCE__ENABLED="no")

    assert {"binance"} == PROVIDERS.keys() - settings.enabled_providers().keys()
    assert () == settings.series()


def test_empty_variable_is_no_setting() -> None:
    """A variable that is set to nothing, as compose files do, leaves the default."""
    assert load_settings({"CRYPTO_PIPELINE_DATABASE_URL": ""}).database_url is None


def test_unknown_provider_is_blamed_on_the_variable_that_names_it() -> None:
    """The place that is told is where a person would correct it."""
    with pytest.raises(SettingsError, match=r"^CRYPTO_PIPELINE_PROVIDERS__BINANCES__ENABLED: "):
        load_settings({"CRYPTO_PIPELINE_PROVIDERS__BINANCES__ENABLED": "false"})


def test_nothing_to_collect_is_a_mistake(tmp_path: Path) -> None:
    """An empty list of instruments collects nothing, which nobody means."""
    file = tmp_path / "settings.toml"
    file.write_text("[ohlc]\ninstruments = []\n", encoding="utf-8")

    with pytest.raises(SettingsError, match=r"ohlc\.instruments = \[\]"):
        load_settings({"CRYPTO_PIPELINE_CONFIG": str(file)})
