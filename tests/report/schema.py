"""As much of JSON Schema 2020-12 as ``schema-1.json`` uses."""

from collections.abc import Iterator
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
KNOWN = {
    "$ref", "$schema", "$defs", "title", "description", "type", "const", "enum", "required", "properties", "items",
    "additionalProperties", "minimum", "maximum",
}  # fmt: skip


def violations(value: Any, schema: dict[str, Any], root: dict[str, Any], where: str = "$") -> Iterator[str]:
    """One line for each place where the value breaks the schema."""
    assert set(schema) <= KNOWN, f"this validator does not know {set(schema) - KNOWN}"
    if "$ref" in schema:
        yield from violations(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, where)
    named = schema.get("type", [])
    types = [named] if isinstance(named, str) else named
    if types and not any(
        isinstance(value, TYPES[t]) and (t == "boolean" or not isinstance(value, bool)) for t in types
    ):
        yield f"{where}: {value!r} is not {types}"
    if "const" in schema and value != schema["const"]:
        yield f"{where}: {value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is not one of {schema['enum']}"
    number = value if isinstance(value, int | float) else 0.0
    if not schema.get("minimum", number) <= number <= schema.get("maximum", number):
        yield f"{where}: {value!r} is out of bounds"
    if isinstance(value, dict):
        yield from (f"{where}: {key} is missing" for key in schema.get("required", []) if key not in value)
        for key, entry in value.items():
            rule = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if rule:
                yield from violations(entry, rule, root, f"{where}.{key}")
    if isinstance(value, list) and "items" in schema:
        for index, entry in enumerate(value):
            yield from violations(entry, schema["items"], root, f"{where}[{index}]")
