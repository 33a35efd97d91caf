import platform

import numpy as np
import torch

from limen import __version__
from limen.environment import facts


def test_the_facts_name_what_a_result_may_depend_on() -> None:
    found = facts()
    assert found["limen"] == __version__
    assert found["python"] == platform.python_version()
    assert found["torch"] == torch.__version__
    assert found["numpy"] == np.__version__
    assert found["threads"].startswith(f"{torch.get_num_threads()} of ")
    assert all(found.values())


def test_asking_for_facts_starts_no_device_and_draws_no_random_number() -> None:
    before = torch.random.get_rng_state()
    facts()
    assert not torch.cuda.is_initialized()
    assert torch.equal(torch.random.get_rng_state(), before)
