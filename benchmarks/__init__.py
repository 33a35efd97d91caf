"""Measurements that the documentation quotes; none of this is installed."""
