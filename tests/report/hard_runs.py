"""Runs that try to break a report: hostile texts, and more sites and steps than a page can show."""

from dataclasses import replace

import numpy as np

from limen.findings import Cause
from limen.journal import Run
from limen.vitals import Vitals
from tests.report.parts import BATCH, histograms, loss_vitals, optimiser, site_vitals, weight_vitals
from tests.report.runs import ENVIRONMENT, sick

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&amp;\u2028<!-- %{y} {{7*7}} \x1b[31m"


def hostile() -> Run:
    """The sick run with every text replaced by one that tries to break out of the report."""
    run = sick()
    name = {v.site.name: f"{HOSTILE}{i}" for i, v in enumerate(run.vitals.sites)}
    sites = tuple(
        replace(
            v, site=replace(v.site, name=name[v.site.name], path=HOSTILE, function=HOSTILE, layer=HOSTILE, norm=HOSTILE)
        )
        for v in run.vitals.sites
    )
    cause = Cause(HOSTILE, 0.9, HOSTILE)
    findings = tuple(
        replace(
            f, where=name[f.where], layer=HOSTILE, unit=HOSTILE, causes=(cause,), remedies=(HOSTILE,), message=HOSTILE
        )
        for f in run.findings
    )
    treatments = tuple(
        replace(t, name=HOSTILE, where=HOSTILE, detail=HOSTILE, before={HOSTILE: 1.0}, after={HOSTILE: 2.0})
        for t in run.treatments
    )
    parameters = tuple(
        replace(p, parameter=replace(p.parameter, name=HOSTILE, layer=HOSTILE)) for p in run.vitals.parameters
    )
    losses = tuple(replace(v, function=HOSTILE) for v in run.vitals.losses)
    optimisers = tuple(replace(v, name=HOSTILE) for v in run.vitals.optimisers)
    vitals = replace(
        run.vitals, sites=sites, parameters=parameters, losses=losses, optimisers=optimisers, notes=(HOSTILE,)
    )
    return replace(
        run,
        script=HOSTILE,
        arguments=(HOSTILE, "\udc80"),
        environment={HOSTILE: HOSTILE, "limen": HOSTILE},
        vitals=vitals,
        findings=findings,
        treatments=treatments,
        histograms={name[key]: value for key, value in run.histograms.items()},
    )


def large(sites: int = 200, rows: int = 1024, steps: int = 10_000) -> Run:
    """As many sites and rows as a report must hold, each with a finding and histograms at 16 steps."""
    step = np.unique(np.linspace(1, steps, rows).astype(np.int64))
    at = tuple(int(s) for s in np.unique(np.geomspace(1, steps, 16).astype(np.int64)))
    many = tuple(
        site_vitals(
            f"encoder.layers.{i // 2}.feed_forward.activation.{i % 2}.relu",
            i,
            step,
            units=512,
            inactive=lambda t, i=i: 0.5 + 0.4 * (i / sites) * np.tanh(t / 2000),
            dead=lambda t, i=i: 300 * (i / sites) * np.tanh(t / 3000),
            saturated=lambda t, i=i: 200 * (i / sites) * np.tanh(t / 3000),
            gradient=lambda t, i=i: 1e-3 * 1.02**i / (1 + t / 300),
        )
        for i in range(sites)
    )
    template = sick().findings[0]
    findings = tuple(
        replace(template, where=v.site.name, layer=v.site.layer, units=tuple(range(0, 512, 2))) for v in many
    )
    vitals = Vitals(
        step=steps,
        samples=steps * BATCH,
        sites=many,
        parameters=tuple(
            weight_vitals(v.site.layer or "", i, step, lambda t: 1e-3 + 0 * t) for i, v in enumerate(many)
        ),
        losses=(loss_vitals(step, lambda t: 0.3 + 8 * np.exp(-t / 900)),),
        optimisers=(optimiser(step, lambda t: 3e-4 * (1 - t / 10_500)),),
    )
    return Run(
        script="pretrain.py",
        seconds=3600.0,
        spent=21.0,
        finished=True,
        environment=ENVIRONMENT,
        vitals=vitals,
        findings=findings,
        histograms={v.site.name: histograms(v, at, drift=2 * i / sites) for i, v in enumerate(many)},
    )
