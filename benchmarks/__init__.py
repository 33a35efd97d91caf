"""Measurements of what watching costs; none of this is installed."""
