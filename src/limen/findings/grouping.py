"""Findings of one root, told once: the same symptom for the same reason at several places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from limen.findings.consequences import follows
from limen.findings.finding import Cause, Finding, Severity
from limen.findings.words import NAMED
from limen.vitals import Vitals

__all__ = ["Group", "group"]

Key = tuple[str, str, bool]  # name, most likely cause, and whether it is open
WORST_FIRST: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True)
class Group:
    """Findings of the same symptom whose most likely cause is the same; at least one.

    Attributes:
        members: in forward order.
        consequences: findings that follow from the members, as ``consequences.CONSEQUENCES`` says.
    """

    members: tuple[Finding, ...]
    consequences: tuple[Finding, ...] = ()

    @property
    def root(self) -> Finding:
        """The member that was there first; of those, the one nearest the input."""
        return min(self.members, key=lambda one: one.step)

    @property
    def symptom(self) -> str | None:
        """What all members show; None when only a cause is seen."""
        return self.root.symptom

    @property
    def severity(self) -> Severity:
        """The worst of the members and of what follows from them."""
        every = (*self.members, *self.consequences)
        return next(level for level in WORST_FIRST if any(one.severity == level for one in every))

    @property
    def closed(self) -> int | None:
        """The step at which the last member was over; None while any holds."""
        ends = [one.closed for one in self.members]
        return None if None in ends else max(end for end in ends if end is not None)

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Those of the root, then what only other members have; each once."""
        every = [cause for one in self._root_first for cause in one.causes]
        return tuple(
            {cause.name: cause for cause in reversed(every)}[name] for name in _once(one.name for one in every)
        )

    @property
    def remedies(self) -> tuple[str, ...]:
        """Those of the root, then what only other members have; each once."""
        return _once(name for one in self._root_first for name in one.remedies)

    @property
    def message(self) -> str:
        """One member's own message; of several, how many and where, then that of the root."""
        if len(self.members) == 1:
            return self.root.message
        return f"{self.root.name} in {len(self.members)} places: {_places(self.members)}. {self.root.message}"

    @property
    def _root_first(self) -> tuple[Finding, ...]:
        return (self.root, *(one for one in self.members if one is not self.root))


def group(findings: Iterable[Finding], vitals: Vitals | None = None) -> tuple[Group, ...]:
    """Findings of the same symptom and most likely cause, together; each group where the first of it would stand.

    A symptom of which the most likely cause is one that is seen by itself is that cause's consequence; so is one that
    follows from another for the same reason (``consequences.follows``). Open findings and those that are over are never
    mixed.

    Args:
        findings: As ``diagnose`` or ``track`` returns them. Each is in exactly one group, unchanged.
        vitals: What was seen, for the forward order of the places; without, members keep the order they are given in.

    >>> group(())
    ()
    """
    together: dict[Key, list[Finding]] = {}
    for one in findings:
        together.setdefault((one.name, _reason(one), one.closed is None), []).append(one)
    roots = {key: root for key in together if (root := _root(key, together)) != key}
    order = _forward_order(vitals or Vitals())
    return tuple(
        Group(
            tuple(sorted(together[key], key=lambda one: order.get(one.where, order.get(one.layer or "", -1)))),
            tuple(one for below, root in roots.items() if root == key for one in together[below]),
        )
        for key in dict.fromkeys(roots.get(key, key) for key in together)
    )


def _root(key: Key, together: Iterable[Key]) -> Key:
    """The group that another follows from for the same reason, and follows from none; itself where there is none."""
    above = [other for other in together if key[1] and other[1:] == key[1:] and follows(other[0], key[0])]
    fact = [other for other in above if other[0] == key[1]]
    return _root((fact or above)[0], together) if above else key


def _reason(finding: Finding) -> str:
    return finding.causes[0].name if finding.causes else ""


def _forward_order(vitals: Vitals) -> dict[str, int]:
    """Place of each site, layer and parameter along the forward pass."""
    sites = {name: seen.site.order for seen in vitals.sites for name in (seen.site.layer, seen.site.name) if name}
    return {one.parameter.name: sites.get(one.parameter.layer, -1) for one in vitals.parameters} | sites


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _places(members: tuple[Finding, ...]) -> str:
    named = [_place(one) for one in members[: NAMED if len(members) > NAMED + 1 else NAMED + 1]]
    more = len(members) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _place(finding: Finding) -> str:
    """Where, and how much of it."""
    return f"{finding.where} ({100 * finding.measured:.0f} %)" if finding.unit.startswith("share") else finding.where
