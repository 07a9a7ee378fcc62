"""The sandbox as one application: every venue under its name, the control under ``/_sandbox``."""

from starlette.applications import Starlette
from starlette.routing import Mount

from crypto_pipeline.sandbox.binance import Binance
from crypto_pipeline.sandbox.control import Control, RequestLog
from crypto_pipeline.sandbox.faults import FaultBook
from crypto_pipeline.sandbox.front import Front
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.sandbox.venues import Venue


def control(settings: SandboxSettings) -> Control:
    """A control with the faults that the settings order and an empty log."""
    return Control(FaultBook(settings.seed, settings.faults), RequestLog(settings.log_size))


def venues(settings: SandboxSettings, book: FaultBook) -> list[Venue]:
    """Every venue of the sandbox. Raises UsageError when the recordings cannot be read."""
    return [Binance(settings, book)]


def app(settings: SandboxSettings, controls: Control | None = None) -> Starlette:
    """The application; whoever passes a control keeps the handle on what it does."""
    controls = controls or control(settings)
    mounts = [
        Mount(f"/{venue.name}", app=Front(venue, settings, controls))
        for venue in venues(settings, controls.book)
    ]
    return Starlette(routes=[Mount("/_sandbox", routes=controls.routes()), *mounts])
