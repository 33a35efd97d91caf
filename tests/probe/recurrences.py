"""Recurrent layers by the book, sequence by sequence and step by step: what torch's documentation says, in float64."""

from collections import defaultdict
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

Gates = dict[str, list[Tensor]]  # by name, a row of pre-activations for each sample


@dataclass
class Book:
    """The gates met so far, and the state of every step."""

    module: nn.Module
    gates: Gates = field(default_factory=lambda: defaultdict(list))

    def weight(self, name: str) -> Tensor:
        held = getattr(self.module, name, None)
        return torch.zeros(()) if held is None else held.detach().double()

    def step(self, place: str, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """One step of one sequence: ``x``, ``h`` and ``c`` are vectors; ``place`` is such as ``_l0_reverse``."""
        kind = type(self.module).__name__
        inner = self.weight(f"weight_ih{place}") @ x + self.weight(f"bias_ih{place}")
        outer = self.weight(f"weight_hh{place}") @ h + self.weight(f"bias_hh{place}")
        found: dict[str, Tensor]
        if kind.startswith("LSTM"):
            i, f, g, o = (inner + outer).chunk(4)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            found = {"input": i, "forget": f, "cell": g, "output": o, "state": c}
            h = o.sigmoid() * c.tanh()
            if getattr(self.module, "proj_size", 0):
                h = self.weight(f"weight_hr{place}") @ h
        elif kind.startswith("GRU"):
            (ri, zi, ni), (rh, zh, nh) = inner.chunk(3), outer.chunk(3)
            r, z = ri + rh, zi + zh
            n = ni + r.sigmoid() * nh
            found = {"reset": r, "update": z, "new": n}
            h = (1 - z.sigmoid()) * n.tanh() + z.sigmoid() * h
        else:
            found = {"hidden": inner + outer}
            h = (inner + outer).relu() if self.module.nonlinearity == "relu" else (inner + outer).tanh()
        for name, row in found.items():
            self.gates[f"{place[1:]}.{name}".lstrip(".")].append(row)
        return h, c

    def sequence(self, x: Tensor, h0: Tensor, c0: Tensor) -> Tensor:
        """``[time, features]`` through all layers; ``h0`` and ``c0`` are ``[layers * directions, …]``."""
        x, h0, c0 = x.detach().double(), h0.detach().double(), c0.detach().double()
        ways = ["", "_reverse"] if self.module.bidirectional else [""]
        for layer in range(int(self.module.num_layers)):  # type: ignore[arg-type]
            made: list[Tensor] = []
            for way, suffix in enumerate(ways):
                h, c = h0[layer * len(ways) + way], c0[layer * len(ways) + way]
                states: list[Tensor] = []
                for row in x.flip(0) if way else x:
                    h, c = self.step(f"_l{layer}{suffix}", row, h, c)
                    states.append(h)
                made.append(torch.stack(states[::-1] if way else states))
            x = torch.cat(made, 1)
        return x
