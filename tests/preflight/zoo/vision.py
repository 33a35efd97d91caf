"""Convolutional nets: blocks as torchvision has them, written out."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.preflight.zoo.case import Case, classes, image

__all__ = ["VISION"]


def lenet() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip


def vgg() -> nn.Sequential:
    layers: list[nn.Module] = []
    width = 3
    for out in (16, "M", 32, "M", 64, 64, "M", 64, 64, "M"):
        if isinstance(out, int):
            layers += [nn.Conv2d(width, out, 3, padding=1), nn.ReLU(inplace=True)]
            width = out
        else:
            layers.append(nn.MaxPool2d(2))
    model = nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(256, 128), nn.ReLU(True), nn.Dropout(), nn.Linear(128, 128), nn.ReLU(True),
        nn.Dropout(), nn.Linear(128, 10),
    )  # fmt: skip
    for module in model:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01 if module.out_features == 10 else 0.1)
            nn.init.zeros_(module.bias)
    return model


class Basic(nn.Module):
    def __init__(self, width: int, out: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        nn.init.zeros_(self.bn2.weight)
        self.down = (
            nn.Sequential(nn.Conv2d(width, out, 1, stride, bias=False), nn.BatchNorm2d(out)) if stride > 1 else None
        )

    def forward(self, x: Tensor) -> Tensor:
        short = x if self.down is None else self.down(x)
        h = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(h)) + short)


class Bottleneck(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(width, width // 4, 1, bias=False), nn.BatchNorm2d(width // 4)
        self.conv2, self.bn2 = nn.Conv2d(width // 4, width // 4, 3, 1, 1, bias=False), nn.BatchNorm2d(width // 4)
        self.conv3, self.bn3 = nn.Conv2d(width // 4, width, 1, bias=False), nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.bn1(self.conv1(x)))
        h = F.relu(self.bn2(self.conv2(h)))
        return F.relu(self.bn3(self.conv3(h)) + x)


class ResNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1, self.relu = (
            nn.Conv2d(3, 16, 3, 1, 1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(inplace=True),
        )
        self.layer1 = nn.Sequential(Basic(16, 16), Basic(16, 16))
        self.layer2 = nn.Sequential(Basic(16, 32, 2), Basic(32, 32))
        self.layer3 = nn.Sequential(Bottleneck(32), Bottleneck(32))
        self.fc = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(self.relu(self.bn1(self.conv1(x))), 2)
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class Wide(nn.Module):
    """Pre-activation with dropout between the convolutions, as in wide residual nets."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.head = nn.Conv2d(3, 16, 3, padding=1), nn.Linear(16, 10)
        self.norms = nn.ModuleList(nn.BatchNorm2d(16) for _ in range(5))
        self.convs = nn.ModuleList(nn.Conv2d(16, 16, 3, padding=1, bias=False) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for i in (0, 2):
            h = F.dropout(self.convs[i](F.relu(self.norms[i](x))), 0.3, self.training)
            x = x + self.convs[i + 1](F.relu(self.norms[i + 1](h)))
        return self.head(F.relu(self.norms[4](x)).mean((2, 3)))


class Inverted(nn.Module):
    """Expansion, depthwise, linear projection; squeeze and excitation between."""

    def __init__(self, width: int, out: int, stride: int = 1) -> None:
        super().__init__()
        wide = width * 6
        self.expand = nn.Sequential(nn.Conv2d(width, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU6(inplace=True))
        self.depth = nn.Sequential(
            nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False), nn.BatchNorm2d(wide), nn.Hardswish()
        )
        self.squeeze, self.excite = nn.Conv2d(wide, wide // 4, 1), nn.Conv2d(wide // 4, wide, 1)
        self.project = nn.Sequential(nn.Conv2d(wide, out, 1, bias=False), nn.BatchNorm2d(out))
        self.skips = stride == 1 and width == out

    def forward(self, x: Tensor) -> Tensor:
        h = self.depth(self.expand(x))
        h = h * F.hardsigmoid(self.excite(F.relu(self.squeeze(F.adaptive_avg_pool2d(h, 1)))))
        h = self.project(h)
        return x + h if self.skips else h


def mobilenet() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(inplace=True),
        Inverted(8, 8), Inverted(8, 12, 2), Inverted(12, 12), Inverted(12, 16, 2),
        nn.Conv2d(16, 64, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU6(inplace=True),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(64, 10),
    )  # fmt: skip


def separable() -> nn.Sequential:
    """Depthwise and pointwise without anything between, as in Xception; and a row and a column."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(),
        nn.Conv2d(16, 16, 3, padding=1, groups=16, bias=False), nn.Conv2d(16, 32, 1, bias=False),
        nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 32, (1, 3), padding=(0, 1)), nn.Conv2d(32, 32, (3, 1), padding=(1, 0)), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10),
    )  # fmt: skip


class DenseBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm2d(width + 8 * i) for i in range(3))
        self.convs = nn.ModuleList(nn.Conv2d(width + 8 * i, 8, 3, padding=1, bias=False) for i in range(3))

    def forward(self, x: Tensor) -> Tensor:
        for norm, conv in zip(self.norms, self.convs, strict=True):
            x = torch.cat([x, conv(F.relu(norm(x)))], 1)
        return x


def densenet() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False), DenseBlock(16),
        nn.BatchNorm2d(40), nn.ReLU(inplace=True), nn.Conv2d(40, 20, 1, bias=False), nn.AvgPool2d(2), DenseBlock(20),
        nn.BatchNorm2d(44), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(44, 10),
    )  # fmt: skip


class Fire(nn.Module):
    def __init__(self, width: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(width, squeeze, 1)
        self.one, self.three = nn.Conv2d(squeeze, expand, 1), nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.one(x)), F.relu(self.three(x))], 1)


def squeezenet() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2), Fire(16, 8, 16), Fire(32, 8, 16),
        nn.Dropout(0.5), nn.Conv2d(32, 10, 1), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )  # fmt: skip


class ConvNeXt(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 24, 4, 4)
        self.depth = nn.ModuleList(nn.Conv2d(24, 24, 7, padding=3, groups=24) for _ in range(3))
        self.norms = nn.ModuleList(nn.LayerNorm(24) for _ in range(4))
        self.wide = nn.ModuleList(nn.Linear(24, 96) for _ in range(3))
        self.narrow = nn.ModuleList(nn.Linear(96, 24) for _ in range(3))
        self.scale = nn.ParameterList(nn.Parameter(torch.full((24,), 1e-6)) for _ in range(3))
        self.head = nn.Linear(24, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for depth, norm, wide, narrow, scale in zip(
            self.depth, self.norms, self.wide, self.narrow, self.scale, strict=False
        ):
            h = norm(depth(x).permute(0, 2, 3, 1))
            x = x + (scale * narrow(F.gelu(wide(h)))).permute(0, 3, 1, 2)
        return self.head(self.norms[3](x.mean((2, 3))))


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()

        def double(width: int, out: int) -> nn.Sequential:
            return nn.Sequential(
                nn.Conv2d(width, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU(inplace=True),
                nn.Conv2d(out, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU(inplace=True),
            )  # fmt: skip

        self.one, self.two, self.three = double(3, 8), double(8, 16), double(16, 32)
        self.up2, self.up1 = nn.ConvTranspose2d(32, 16, 2, 2), nn.ConvTranspose2d(16, 8, 2, 2)
        self.back2, self.back1, self.head = double(32, 16), double(16, 8), nn.Conv2d(8, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.one(x)
        b = self.two(F.max_pool2d(a, 2))
        c = self.three(F.max_pool2d(b, 2))
        b = self.back2(torch.cat([b, self.up2(c)], 1))
        return self.head(self.back1(torch.cat([a, self.up1(b)], 1)))


class Pyramid(nn.Module):
    """Lateral convolutions, each followed by one that smooths, without activations; two heads."""

    def __init__(self) -> None:
        super().__init__()
        self.c1 = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU())
        self.c2 = nn.Sequential(nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU())
        self.side1, self.side2 = nn.Conv2d(16, 16, 1), nn.Conv2d(32, 16, 1)
        self.out1, self.out2 = nn.Conv2d(16, 16, 3, padding=1), nn.Conv2d(16, 16, 3, padding=1)
        self.tower = nn.Sequential(nn.Conv2d(16, 16, 3, padding=1), nn.GroupNorm(4, 16), nn.ReLU())
        self.scores, self.boxes = nn.Conv2d(16, 3, 3, padding=1), nn.Conv2d(16, 4, 3, padding=1)
        nn.init.constant_(self.scores.bias, -4.6)

    def forward(self, x: Tensor) -> list[Tensor]:
        one = self.c1(x)
        two = self.side2(self.c2(one))
        one = self.side1(one) + F.interpolate(two, scale_factor=2)
        levels = [self.tower(self.out1(one)), self.tower(self.out2(two))]
        return [head(level) for level in levels for head in (self.scores, self.boxes)]


class SuperResolution(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head, self.tail = nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(4, 3, 3, padding=1)
        self.one, self.two = nn.Conv2d(16, 16, 3, padding=1), nn.Conv2d(16, 16, 3, padding=1)
        self.up = nn.Conv2d(16, 16, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.head(x)
        x = x + 0.1 * self.two(F.relu(self.one(x)))
        return self.tail(F.pixel_shuffle(self.up(x), 2))


VISION = (
    Case("lenet", lenet, image(8, 1, 28), "cross-entropy", classes(10, 8)),
    Case("vgg", vgg, image(), "cross-entropy", classes(10, 4)),
    Case("resnet", ResNet, image(), nn.CrossEntropyLoss(label_smoothing=0.1), classes(10, 4)),
    Case("wide-resnet", Wide, image(), "cross-entropy", classes(10, 4)),
    Case("mobilenet", mobilenet, image(), "cross-entropy", classes(10, 4)),
    Case("separable", separable, image(), "cross-entropy", classes(10, 4)),
    Case("densenet", densenet, image(), "cross-entropy", classes(10, 4)),
    Case("squeezenet", squeezenet, image(), None),
    Case("convnext", ConvNeXt, image(), "cross-entropy", classes(10, 4)),
    Case("u-net", UNet, image(), nn.BCEWithLogitsLoss(), lambda: (torch.rand(4, 1, 32, 32) > 0.5).float()),
    Case("pyramid", Pyramid, image(), None),
    Case("super-resolution", SuperResolution, image(), nn.L1Loss(), image(side=64)),
)
