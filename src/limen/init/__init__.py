"""Initialisation of a real model for the functions it really applies."""

from limen.init.initialise import init_
from limen.init.table import Initialisation, Row

__all__ = ["Initialisation", "Row", "init_"]
