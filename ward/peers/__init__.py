"""The published rules of other tools, restated over limen's vitals and judged on the same runs.

None of these tools runs here: two are for Keras, one is a closed service. What is compared is their rules with their
limits, not their code.
"""

from __future__ import annotations

from limen.vitals import Vitals
from ward.peers import autotrainer, deepdiagnosis, sagemaker
from ward.peers.reading import Rules

__all__ = ["PEERS", "said_by_peers"]

PEERS: dict[str, Rules] = {
    "AutoTrainer": autotrainer.RULES,
    "DeepDiagnosis": deepdiagnosis.RULES,
    "SageMaker Debugger": sagemaker.RULES,
}
"""Rules by name, of each tool."""


def said_by_peers(vitals: Vitals) -> dict[str, tuple[str, ...]]:
    """The rules of each tool that raise an alarm."""
    return {peer: tuple(name for name, rule in rules.items() if rule(vitals)) for peer, rules in PEERS.items()}
