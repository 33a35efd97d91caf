"""Ordinary sound trainings, from which the faulty ones are made."""

from __future__ import annotations

from dataclasses import replace

from ward.recipe import Recipe

__all__ = ["GAN", "SOUND", "TABLE"]

CNN = Recipe(net="cnn", data="fashion", width=8, batch=32, steps=200)
ROWS = Recipe(net="cnn", data="rows", width=16, depth=2, steps=250)
TABLE = Recipe(data="diabetes", loss="mse", width=32, depth=2)
GAN = Recipe(net="gan", data="circle", loss="bce_logits", width=32, optimiser="sgd", rate=0.2, steps=800)
AUTOTRAINER = Recipe(
    data="blob", width=5, depth=5, activation="Tanh", init="he_uniform", bias=0.0, head="sigmoid", loss="bce_clipped",
    rate=1e-2,
)  # fmt: skip

SOUND: dict[str, Recipe] = {
    "mlp digits relu": Recipe(),
    "mlp digits relu sgd": Recipe(optimiser="sgd", rate=0.1),
    "mlp digits relu momentum": Recipe(optimiser="momentum", rate=0.02),
    "mlp digits tanh": Recipe(activation="Tanh"),
    "mlp digits tanh sgd": Recipe(activation="Tanh", optimiser="sgd", rate=0.1),
    "mlp digits gelu": Recipe(activation="GELU", depth=3),
    "mlp digits silu": Recipe(activation="SiLU", depth=3),
    "mlp digits elu": Recipe(activation="ELU", optimiser="momentum", rate=0.01),
    "mlp digits selu": Recipe(activation="SELU", init="lecun"),
    "mlp digits mish": Recipe(activation="Mish"),
    "mlp digits leaky": Recipe(activation="LeakyReLU", depth=4, init="he"),
    "mlp digits hardswish": Recipe(activation="Hardswish", depth=3),
    "mlp digits sigmoid": Recipe(activation="Sigmoid", depth=1, rate=5e-3),
    "mlp digits softplus": Recipe(activation="Softplus"),
    "mlp digits he": Recipe(init="he", depth=4),
    "mlp digits batch norm": Recipe(norm="batch", depth=4),
    "mlp digits layer norm": Recipe(norm="layer", depth=4, activation="GELU"),
    "mlp digits residual": Recipe(skip=True, depth=6),
    "mlp digits dropout": Recipe(dropout=0.5, width=128),
    "mlp fashion relu": Recipe(data="fashion", width=128),
    "mlp fashion tanh momentum": Recipe(data="fashion", activation="Tanh", optimiser="momentum", rate=0.01),
    "mlp fashion gelu adamw": Recipe(
        data="fashion", activation="GELU", optimiser="adamw", width=128, weight_decay=0.05
    ),
    "mlp cancer relu": Recipe(data="cancer", width=32, batch=32),
    "mlp cancer tanh rmsprop": Recipe(data="cancer", width=32, activation="Tanh", optimiser="rmsprop"),
    "mlp wine relu": Recipe(data="wine", width=16, batch=16),
    "mlp iris tanh": Recipe(data="iris", width=8, activation="Tanh", batch=16, rate=1e-2),
    "mlp blob relu": Recipe(data="blob", width=16, depth=3, rate=5e-3),
    "mlp blob tanh": Recipe(data="blob", width=5, depth=5, activation="Tanh", rate=1e-2),
    "mlp circle relu": Recipe(data="circle", width=16, depth=3, rate=5e-3),
    "mlp circle sgd": Recipe(data="circle", width=32, depth=2, optimiser="sgd", rate=0.3),
    "mlp diabetes relu": TABLE,
    "mlp diabetes relu sgd": replace(TABLE, optimiser="sgd", rate=0.05),
    "mlp diabetes tanh": replace(TABLE, activation="Tanh", batch=32),
    "mlp diabetes gelu l1": replace(TABLE, activation="GELU", loss="l1"),
    "mlp diabetes batch norm": replace(TABLE, norm="batch", rate=3e-3),
    "cnn fashion relu": CNN,
    "cnn fashion relu sgd": replace(CNN, optimiser="sgd", rate=0.2),
    "cnn fashion batch norm": replace(CNN, norm="batch", depth=3),
    "cnn fashion group norm gelu": replace(CNN, norm="layer", depth=3, activation="GELU"),
    "cnn fashion residual": replace(CNN, norm="batch", skip=True, depth=5),
    "cnn fashion tanh": replace(CNN, activation="Tanh", optimiser="momentum", rate=0.01),
    "cnn digits relu": Recipe(net="cnn", data="rows", width=16, depth=2, steps=250),
    "cnn digits silu": Recipe(net="cnn", data="rows", width=16, depth=3, activation="SiLU", steps=250),
    "lstm digits": Recipe(net="lstm", data="rows", width=32, depth=1, rate=5e-3),
    "lstm text": Recipe(net="lstm", data="text", width=32, depth=1, rate=5e-3, batch=32, clip=1.0),
    "gru digits": Recipe(net="gru", data="rows", width=32, depth=2, rate=3e-3),
    "gru text sgd": Recipe(net="gru", data="text", width=32, depth=1, optimiser="sgd", rate=0.5, batch=32, clip=1.0),
    "rnn digits": Recipe(net="rnn", data="rows", activation="Tanh", width=32, depth=1, rate=2e-3, clip=1.0),
    "transformer digits": Recipe(net="transformer", data="rows", width=32, depth=2, activation="GELU"),
    "transformer text": Recipe(
        net="transformer", data="text", width=32, depth=2, activation="ReLU", batch=32, steps=200
    ),
    "autoencoder digits": Recipe(net="autoencoder", loss="mse", width=64),
    "autoencoder fashion tanh": Recipe(net="autoencoder", data="fashion", loss="mse", width=64, activation="Tanh"),
    "mlp digits deep relu": Recipe(depth=4, width=48, init="he", optimiser="momentum", rate=0.01),
    "mlp letters relu": Recipe(data="letters", width=64),
    "mlp letters tanh sgd": Recipe(data="letters", activation="Tanh", optimiser="sgd", rate=0.3, steps=500),
    "mlp letters batch norm": Recipe(data="letters", norm="batch", depth=3),
    "mlp letter width relu": replace(TABLE, data="letter_width"),
    "mlp letter width silu momentum": replace(
        TABLE, data="letter_width", activation="SiLU", optimiser="momentum", rate=0.02
    ),
    "mlp cancer one logit": Recipe(data="cancer", width=32, loss="bce_logits", batch=32),
    "autotrainer blob": AUTOTRAINER,
    "autotrainer blob momentum": replace(AUTOTRAINER, optimiser="momentum", rate=0.1),
    "autotrainer circle": replace(AUTOTRAINER, data="circle"),
    "deepchecker cnn": replace(CNN, width=16, init="he", optimiser="sgd", rate=0.1),
    "deepchecker regression": replace(TABLE, width=64, init="he"),
    "cnn digits tanh momentum": replace(ROWS, activation="Tanh", optimiser="momentum", rate=0.02),
    "cnn digits batch norm momentum": replace(ROWS, norm="batch", depth=3, optimiser="momentum", rate=0.02),
    "cnn digits layer norm": replace(ROWS, norm="layer", depth=3),
    "cnn digits residual": replace(ROWS, skip=True, depth=4),
    "mlp letters residual normalised": Recipe(data="letters", skip=True, norm="layer", depth=6, activation="GELU"),
    "mlp digits residual momentum": Recipe(skip=True, depth=5, optimiser="momentum", rate=0.01),
    "lstm digits momentum": Recipe(net="lstm", data="rows", width=32, depth=1, optimiser="momentum", rate=0.1),
    "gru digits sgd": Recipe(net="gru", data="rows", width=32, depth=1, optimiser="sgd", rate=0.5, steps=400),
    "memory digits": Recipe(net="memory", data="rows", width=32, rate=5e-3),
    "memory digits momentum": Recipe(net="memory", data="rows", width=32, optimiser="momentum", rate=0.1),
    "highway digits": Recipe(net="highway", depth=4, gate_bias=-1.0, rate=2e-3),
    "highway letters tanh": Recipe(net="highway", data="letters", depth=3, activation="Tanh", gate_bias=-2.0),
    "experts digits": Recipe(net="experts", width=32, rate=3e-3),
    "letters by an mlp": Recipe(net="letters", data="text", activation="Tanh", rate=3e-3),
    "letters by a relu mlp": Recipe(net="letters", data="text", rate=3e-3),
    "transformer digits momentum": Recipe(
        net="transformer", data="rows", width=32, depth=1, activation="GELU", optimiser="momentum", rate=0.02
    ),
    "autoencoder digits momentum": Recipe(
        net="autoencoder", activation="LeakyReLU", loss="mse", width=64, optimiser="momentum", rate=0.5, steps=400
    ),
    "autoencoder letters gelu": Recipe(net="autoencoder", data="letters", loss="mse", activation="GELU", rate=3e-3),
    "gan circle sgd": GAN,
    "gan circle least squares": replace(GAN, loss="least_squares", rate=0.1),
    "gan blob tanh": replace(GAN, data="blob", activation="Tanh", optimiser="adam", rate=1e-3),
    "gan blob least squares": replace(GAN, data="blob", loss="least_squares", optimiser="adam", rate=2e-3),
    "gan digits": replace(GAN, data="digits", width=64, optimiser="adam", rate=2e-3),
    "gan digits batch norm": replace(GAN, data="digits", width=64, norm="batch", optimiser="adam", rate=1e-3),
}
"""Ordinary trainings with nothing wrong in them."""
