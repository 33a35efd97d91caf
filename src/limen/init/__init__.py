"""Initialisation of a real model for the functions it really applies."""

from limen.init.initialise import init_
from limen.init.table import Figures, Initialisation, Row

__all__ = ["Figures", "Initialisation", "Row", "init_"]
