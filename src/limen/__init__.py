"""limen looks after the activation functions of a PyTorch training."""

__version__ = "0.1.0"
