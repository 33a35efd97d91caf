"""The layout of version 3, written out: whoever changes it must raise the version."""

import sqlite3
from contextlib import closing
from dataclasses import fields

from limen.findings import Finding
from limen.journal import Run, TreatmentRecord
from limen.journal.packing import FIELDS
from limen.journal.schema import APPLICATION_ID, KINDS, VERSION, create, layout
from limen.vitals import ParameterHistory, SiteHistory, Vitals

TABLES = {
    4: """
    finding(id, position, about) histogram(id, position, about) histogram_array(histogram, part, dtype, data)
    loss(id, position, about) loss_step(step, loss, value) optimiser(id, position, about)
    optimiser_step(step, optimiser, learning_rate) parameter(id, position, about)
    parameter_step(step, parameter, gradient, weight, update) run(id, position, about) site(id, position, about)
    site_array(site, part, dtype, data) site_step(step, site, samples, dead, saturated, nonfinite, inactive, mean, std,
    low, high, gradient) treatment(id, position, about)
    """
}
JSON = {
    4: """
    Finding(symptom, severity, where, layer, units, step, measured, limit, unit, confidence, causes, remedies, message,
    closed, told) LossVitals(function, optimiser, head, negated, outputs, targets)
    OptimiserVitals(name, momentum, weight_decay, adaptive, uncleared)
    ParameterVitals(parameter, first_nonfinite, optimiser, spread)
    Run(script, arguments, started, seconds, spent, budget, finished, exit_code, broken, environment,
    ranks)
    SiteVitals(site, first_nonfinite) TreatmentRecord(name, where, step, kept, detail, before, after, finding)
    Vitals(step, samples, inputs, notes, looked, program)
    """
}


def test_the_tables_are_those_of_their_version() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        create(connection)
        found = {
            f"{name}({', '.join(row[1] for row in connection.execute(f'PRAGMA table_info({name})'))})"
            for kind, name, *_ in layout(connection)
            if kind == "table"
        }
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert " ".join(sorted(found)) == " ".join(TABLES[VERSION].split())


def test_the_json_is_that_of_its_version() -> None:
    found = sorted(f"{kind.__name__}({', '.join(names)})" for kind, names in FIELDS.items())
    assert " ".join(found) == " ".join(JSON[VERSION].split())


def test_every_field_of_a_history_has_its_column() -> None:
    for kind, history in (("site", SiteHistory), ("parameter", ParameterHistory)):
        columns = {
            column.name: {"INTEGER": "Integers", "REAL": "Floats"}[column.type] for column in KINDS[kind].columns
        }
        assert {"step": "Integers"} | columns == {field.name: field.type for field in fields(history)}


def test_every_field_of_a_run_has_its_place() -> None:
    apart = {"vitals", "findings", "treatments", "histograms", "sites", "parameters", "losses", "optimisers"}
    names = {field.name for kind in (Run, Vitals) for field in fields(kind)}
    assert names == {*FIELDS[Run], *FIELDS[Vitals]} | apart
    assert {field.name for field in fields(Finding)} == set(FIELDS[Finding])
    assert {field.name for field in fields(TreatmentRecord)} == set(FIELDS[TreatmentRecord])


def test_the_application_id_spells_the_name() -> None:
    assert APPLICATION_ID.to_bytes(4, "big") == b"limn"
