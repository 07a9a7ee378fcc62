"""The fault matrix: seeded schedules of faults, and what must be true once they stop."""
