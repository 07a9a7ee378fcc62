"""Every error this package raises on purpose, classed by what to do about it.

PipelineError
├── UsageError             the caller must change what was asked (exit 2)
│   └── SettingsError      a setting is wrong: it names the key, the place and what was expected
├── UnreachableError       something the pipeline needs is not there (exit 3)
│   ├── DatabaseUnreachable
│   └── PortInUse
├── ShortfallError         the data falls short of what was asked (exit 1)
└── ProviderError          a source could not answer; the next host or provider is asked
    ├── TransientError     worth another try after a back-off
    │   ├── RateLimited    worth another try after ``retry_after`` seconds
    │   └── MalformedReply the body is not what the protocol promises: cut, HTML, other shape
    │       └── DamagedFile  a file that is not what its checksum or its form promises
    ├── HostRefused        this host must be left alone for ``retry_after`` seconds (403, 418, 451)
    ├── RequestRejected    asking again cannot help: unknown symbol, bad parameter
    └── StorageFull        this machine cannot hold what came
"""

from typing import ClassVar


class PipelineError(Exception):
    """Something the pipeline was asked to do could not be done."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)


class UsageError(PipelineError):
    """What was asked cannot be understood."""

    exit_code = 2


class SettingsError(UsageError):
    """A setting has a wrong name or value."""


class UnreachableError(PipelineError):
    """Something the pipeline needs cannot be reached."""

    exit_code = 3


class DatabaseUnreachable(UnreachableError):
    """The database cannot be reached."""


class PortInUse(UnreachableError):
    """A port that is needed is taken by another program."""


class ShortfallError(PipelineError):
    """The data falls short of what was asked."""


class ProviderError(PipelineError):
    """A provider could not answer."""


class TransientError(ProviderError):
    """The provider failed in a way that may pass."""


class RateLimited(TransientError):
    """The provider asks for a pause."""

    def __init__(self, message: str | None = None, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class MalformedReply(TransientError):
    """The reply is not what the provider's protocol promises."""


class DamagedFile(MalformedReply):
    """A file is not what its checksum or its form promises."""


class HostRefused(ProviderError):
    """The host refuses to serve this address."""

    def __init__(self, message: str | None = None, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RequestRejected(ProviderError):
    """The provider says the request itself is wrong."""


class StorageFull(ProviderError):
    """This machine cannot hold what came."""
