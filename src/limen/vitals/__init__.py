"""Statistics as small values that add: what was seen of each site, parameter and loss."""

from limen.vitals.activity import Activity, Whole
from limen.vitals.evidence import EVIDENCE, Evidence, dead_units, saturated_units
from limen.vitals.fields import Table, held_in, lasting
from limen.vitals.histogram import BINS, EDGES, Histogram
from limen.vitals.moments import Moments
from limen.vitals.narrow import Narrow, OfFew, narrow_in
from limen.vitals.panel import panel_of
from limen.vitals.program import Dropout, Interposed, Normalisation, Program, Scale, Untrained
from limen.vitals.rank_vitals import matched, merge_ranks, site_key
from limen.vitals.snapshot import (
    InputVitals,
    LossVitals,
    OptimiserVitals,
    ParameterHistory,
    ParameterVitals,
    SiteHistory,
    SiteVitals,
    Vitals,
)

__all__ = [
    "BINS",
    "EDGES",
    "EVIDENCE",
    "Activity",
    "Dropout",
    "Evidence",
    "Histogram",
    "InputVitals",
    "Interposed",
    "LossVitals",
    "Moments",
    "Narrow",
    "Normalisation",
    "OfFew",
    "OptimiserVitals",
    "ParameterHistory",
    "ParameterVitals",
    "Program",
    "Scale",
    "SiteHistory",
    "SiteVitals",
    "Table",
    "Untrained",
    "Vitals",
    "Whole",
    "dead_units",
    "held_in",
    "lasting",
    "matched",
    "merge_ranks",
    "narrow_in",
    "panel_of",
    "saturated_units",
    "site_key",
]
