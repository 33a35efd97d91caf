"""Padded batches: a mask changes neither the fast path of an evaluation nor what counts as a sample."""

import pytest
import torch
from torch import Tensor, nn

from tests.probe.watching import watching

BATCH, TIME, WIDTH, INNER = 4, 5, 8, 16
PADDED = torch.arange(TIME) >= torch.tensor([5, 3, 4, 1])[:, None]  # True where there is nothing


def encoder_of(nested: bool) -> nn.TransformerEncoder:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(WIDTH, 2, INNER, batch_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=nested)


def evaluated(encoder: nn.Module, tokens: Tensor) -> tuple[list[str], bytes]:
    """The operators that an evaluation runs, and what it computes."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile, torch.no_grad():
        result = encoder.eval()(tokens, src_key_padding_mask=PADDED)
    return sorted(event.name for event in profile.events()), result.numpy().tobytes()


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
@pytest.mark.parametrize("nested", [True, False])
def test_the_fast_path_with_a_padding_mask_stays_on(nested: bool) -> None:
    encoder, tokens = encoder_of(nested), torch.randn(BATCH, TIME, WIDTH)
    bare = evaluated(encoder, tokens)
    assert any("_transformer_encoder_layer_fwd" in name for name in bare[0])
    assert any("nested" in name for name in bare[0]) == nested
    with watching():
        optimiser = torch.optim.SGD(encoder.parameters(), 0.0)
        for _ in range(2):
            encoder.train()(tokens, src_key_padding_mask=PADDED).sum().backward()
            optimiser.step()
            assert evaluated(encoder, tokens) == bare


def test_padding_is_a_sample_where_the_layer_computes_it() -> None:
    encoder = encoder_of(nested=False)
    optimiser = torch.optim.SGD(encoder.parameters(), 0.0)
    with watching() as probe:
        encoder(torch.randn(BATCH, TIME, WIDTH), src_key_padding_mask=PADDED).sum().backward()
        optimiser.step()
    sites = probe.vitals().sites
    assert [(site.site.units, site.total.samples) for site in sites] == [(INNER, BATCH * TIME)] * 2
