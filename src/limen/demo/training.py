"""The training of the demo: an ordinary small network, the same each time but for its learning rate."""

from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from limen.demo.data import Pictures
from limen.journal import Run
from limen.progress import Progress
from limen.vitals import dead_units
from limen.watch import Treat, Watch

__all__ = ["RECIPES", "Outcome", "Recipe", "train"]

HIDDEN = 128  # units in each of the two hidden layers
CLASSES = 10
LISTEN_EVERY = 0.0  # seconds: at every step, so that what is told does not depend on the machine's speed


@dataclass(frozen=True)
class Recipe:
    """How one network is trained.

    Attributes:
        sick_rate: a learning rate that kills units in the first steps, on which the training nevertheless goes on.
        sane_rate: one that does not.
        epochs: passes over the training pictures.
        batch: pictures in a step.
        momentum: of SGD.
        clip: gradients are scaled down to this L2 norm, as is usual; so it is the learning rate alone that kills.
        seed: of the weights and of the order of the pictures.
    """

    sick_rate: float
    sane_rate: float
    epochs: int
    batch: int = 64
    momentum: float = 0.9
    clip: float = 1.0
    seed: int = 1

    def steps(self, pictures: int) -> int:
        """Training steps over so many pictures."""
        return self.epochs * -(-pictures // self.batch)


RECIPES = {
    "digits": Recipe(sick_rate=0.9, sane_rate=0.05, epochs=30),
    "fashion-mnist": Recipe(sick_rate=0.4, sane_rate=0.05, epochs=3),
}
"""Found by experiment, and not on a knife's edge: other seeds end alike (a test tries some)."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """One finished training.

    Attributes:
        run: what the watch saw.
        accuracy: share of the test pictures put into the right class.
    """

    run: Run
    accuracy: float

    @property
    def units(self) -> int:
        """Hidden units, all sites."""
        return sum(site.site.units for site in self.run.vitals.sites)

    @property
    def dead(self) -> int:
        """Hidden units that are dead at the end."""
        return sum(len(dead_units(site)) for site in self.run.vitals.sites)

    @property
    def rates(self) -> tuple[float, ...]:
        """The learning rates that were used, in order."""
        seen = [float(rate) for optimiser in self.run.vitals.optimisers for rate in optimiser.learning_rate]
        return tuple(dict.fromkeys(seen))


def train(
    pictures: Pictures,
    recipe: Recipe,
    rate: float,
    *,
    treat: Treat = "off",
    listener: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Train under a watch at every step, and measure on the test pictures.

    The same recipe gives the same initial weights and the same order of pictures, whatever the rate.
    """
    torch.manual_seed(recipe.seed)
    model = network(pictures.train.shape[1])
    optimiser = torch.optim.SGD(model.parameters(), lr=rate, momentum=recipe.momentum)
    shuffle = torch.Generator().manual_seed(recipe.seed)
    with (
        one_thread(),
        Watch(
            [model],
            budget=None,
            treat=treat,
            script="limen demo",
            listener=listener,
            listen_every=LISTEN_EVERY,
        ) as watch,
    ):
        for _ in range(recipe.epochs):
            for batch in torch.randperm(len(pictures.train), generator=shuffle).split(recipe.batch):
                loss = nn.functional.cross_entropy(model(pictures.train[batch]), pictures.train_labels[batch])
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
                optimiser.step()
    with torch.no_grad():
        right = model(pictures.test).argmax(1) == pictures.test_labels
    return Outcome(watch.close(), float(right.double().mean()))


@contextmanager
def one_thread() -> Generator[None]:
    """One thread for torch: so small a network gains nothing from more, and loses much where cores are taken.

    It also makes the result the same on machines with more or fewer cores.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def network(pixels: int) -> nn.Sequential:
    """Two hidden layers of ReLU units, with torch's own initialisation."""
    return nn.Sequential(
        OrderedDict(
            hidden1=nn.Linear(pixels, HIDDEN),
            relu1=nn.ReLU(),
            hidden2=nn.Linear(HIDDEN, HIDDEN),
            relu2=nn.ReLU(),
            head=nn.Linear(HIDDEN, CLASSES),
        )
    )
