"""What was done to a training, as a value for the journal and the report."""

from dataclasses import dataclass, field

__all__ = ["TreatmentRecord"]


@dataclass(frozen=True)
class TreatmentRecord:
    """One repair of a running training.

    Attributes:
        name: one of the remedies, for instance ``revive-units``.
        where: name of the site, parameter or optimiser it changed.
        step: the step after which it was applied.
        kept: False once it was undone.
        detail: one sentence: what exactly was changed.
        before: figures before it, by name, for instance ``{"dead units": 87, "learning rate": 2.0}``.
        after: the same figures as last seen, once enough steps were seen after it; of a learning rate, from the first
            and for good, what this treatment alone made of it.
        finding: key of the finding it answers.
    """

    name: str
    where: str
    step: int
    kept: bool
    detail: str
    before: dict[str, float] = field(default_factory=dict)
    after: dict[str, float] = field(default_factory=dict)
    finding: str = ""
