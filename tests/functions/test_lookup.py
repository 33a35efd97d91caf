import pytest

from limen.errors import InvalidValue, UnknownName
from limen.functions import about, formula, look_up
from limen.manual import explain


@pytest.mark.parametrize("written", ["leaky_relu", "LeakyReLU", "Leaky ReLU", "leaky-relu"])
def test_a_name_is_found_however_it_is_written(written: str) -> None:
    assert look_up(written).name == "leaky_relu"


def test_mistakes_are_told_as_the_catalogue_tells_them() -> None:
    with pytest.raises(UnknownName, match=r"named 'rleu'\. Did you mean 'relu'\?"):
        look_up("rleu")
    with pytest.raises(InvalidValue, match=r"elu takes alpha\."):
        look_up("elu", beta=1.0)


@pytest.mark.parametrize("name", ["relu", "prelu", "geglu", "softmax", "gelu"])
def test_the_manual_and_the_sheet_say_the_same_words(name: str) -> None:
    page = " ".join(explain(name).replace("``", "").split())
    subject = look_up(name)
    for part in [formula(subject.text), *about(subject.text), subject.source]:
        assert " ".join(part.replace("``", "").split()) in page
    assert f"limen functions {name}" in page
