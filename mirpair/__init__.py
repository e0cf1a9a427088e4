"""Precursor-microRNA identification from pairing matrices (Do, Golkov, Gürel, Cremers 2018)."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "predict"]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__} - {"Any", "import_module"})


def __getattr__(name: str) -> Any:
    """Import `mirpair.predict` on first use: it needs PyTorch, most of the package does not."""
    if name == "predict":
        return import_module("mirpair.prediction.predictor").predict
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
