"""Precursor-microRNA identification from pairing matrices (Do, Golkov, Gürel, Cremers 2018)."""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """`mirpair.predict`, looked up when it is asked for: it needs PyTorch, the package does not."""
    if name == "predict":
        from mirpair.prediction import predict

        return predict
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
