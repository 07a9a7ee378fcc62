"""The pure domain, held against small models of itself."""
