"""Units that were never alive."""

from limen.findings.causes.birth import born_share
from limen.findings.causes.clues import Clue, inferred
from limen.findings.causes.registry import cause
from limen.findings.finding import Cause, Finding
from limen.findings.thresholds import Thresholds
from limen.vitals import Vitals


@cause("dead-from-start")
def dead_from_start(vitals: Vitals, finding: Finding, limits: Thresholds) -> Cause | None:
    """Units that were silent from the first step on: training did not kill them.

    Why it matters: no learning rate will help; weights, biases or inputs are wrong before the first step.

    How it is measured: the share of the finding's units that were not active on a single sample since the watch
    began.

    Known to misfire: a watch that begins in the middle of a training.

    Answered by: reinitialise, revive-units, scale-inputs.

    Source: Lu et al. 2020, "Dying ReLU and Initialization", arXiv:1903.06733.
    """
    born = born_share(vitals, finding)
    if born < 0.5:
        return None
    many = round(born * len(finding.units))
    evidence = f"{many} of the {len(finding.units)} silent units were not active once since the first step"
    return inferred("dead-from-start", [Clue("never-alive", 0.6 * born, evidence)])
