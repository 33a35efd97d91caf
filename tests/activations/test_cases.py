from types import SimpleNamespace

import pytest

from limen.activations import ELU, ReLU
from tests.activations.cases import over

SEEN: list[tuple[str, int]] = []


@over("act", [ELU(0.5), ReLU(), ELU(2.0)])
@pytest.mark.parametrize("number", [1, 2])
def test_every_case_of_a_name_is_looked_at(act: ELU | ReLU, number: int, request: pytest.FixtureRequest) -> None:
    assert request.node.name == f"test_every_case_of_a_name_is_looked_at[{number}-{act.name}]"
    SEEN.append((repr(act), number))
    if act == ELU(2.0):
        assert SEEN[-2] == ("ELU(alpha=0.5)", number)


def test_a_failure_names_the_case() -> None:
    @over("case", [SimpleNamespace(name="a", number=number) for number in (1, 2, 3)])
    def below_two(case: SimpleNamespace) -> None:
        assert case.number < 2

    with pytest.raises(AssertionError) as caught:
        below_two("a")
    assert caught.value.__notes__ == ["case: namespace(name='a', number=2)"]
