"""Precursor-microRNA identification from pairing matrices (Do, Golkov, Gürel, Cremers 2018)."""

__version__ = "0.1.0"
