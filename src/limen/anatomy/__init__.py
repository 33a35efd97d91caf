"""How sites, layers and losses are found in a live model."""

from limen.anatomy.axes import kind, number_of
from limen.anatomy.compiled import Application, Applied, applications, example_of
from limen.anatomy.divisors import divisors_of, is_scaling
from limen.anatomy.drawn import looks_drawn
from limen.anatomy.factors import Map, is_factor
from limen.anatomy.graph import Origin, leads_to_weights, origin_of, parents_of, uses_of
from limen.anatomy.heads import Reading, reading_of
from limen.anatomy.losses import LOG_OF_SHARES, leads_back_to, loss_function
from limen.anatomy.names import Root, modules_in, name_root, name_tensors, user_frame
from limen.anatomy.optimisers import ascends, is_adaptive, live_optimisers
from limen.anatomy.passages import Passage, dropped_by, passages
from limen.anatomy.readers import Reader, readers_of
from limen.anatomy.recurrent import Gate, RecurrentCall, is_recurrent, recurrent_call
from limen.anatomy.shards import local_of, shards_of
from limen.anatomy.wiring import Consumer, Wiring
from limen.anatomy.wrappers import is_compiled, plain_paths, unwrapped

__all__ = [
    "LOG_OF_SHARES",
    "Application",
    "Applied",
    "Consumer",
    "Gate",
    "Map",
    "Origin",
    "Passage",
    "Reader",
    "Reading",
    "RecurrentCall",
    "Root",
    "Wiring",
    "applications",
    "ascends",
    "divisors_of",
    "dropped_by",
    "example_of",
    "is_adaptive",
    "is_compiled",
    "is_factor",
    "is_recurrent",
    "is_scaling",
    "kind",
    "leads_back_to",
    "leads_to_weights",
    "live_optimisers",
    "local_of",
    "looks_drawn",
    "loss_function",
    "modules_in",
    "name_root",
    "name_tensors",
    "number_of",
    "origin_of",
    "parents_of",
    "passages",
    "plain_paths",
    "readers_of",
    "reading_of",
    "recurrent_call",
    "shards_of",
    "unwrapped",
    "user_frame",
    "uses_of",
]
