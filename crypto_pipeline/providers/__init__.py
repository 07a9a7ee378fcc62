"""The sources: one file each, named in PROVIDERS, and the one client that asks them.

Storing what they say, and choosing what to ask, live elsewhere.
"""

from types import MappingProxyType

from crypto_pipeline.providers.binance import BINANCE

PROVIDERS = MappingProxyType({provider.name: provider for provider in (BINANCE,)})
"""Every provider by name; adding one is a file and a name here."""
