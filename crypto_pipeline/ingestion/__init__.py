"""The line through the house: plan what is missing, fetch it, validate it, store it, account for it.

Schedules, sensor, backfills, command line and API all run this line; they differ in the window.
"""
