"""The ward: trainings that are sick in a known way and trainings that only look it, each run under ``limen run``."""
