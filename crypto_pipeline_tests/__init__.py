"""The tests; they mirror the package, and each is named for what it promises."""
