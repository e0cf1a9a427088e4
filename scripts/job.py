"""Prepare a job; every script imports this first: the library beside it, a complete log."""

import logging
import sys
from pathlib import Path

# Rules track the code of the library beside the scripts, so that one must run, even where
# another version is installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirpair.files import InputError, explain_error
from mirpair.settings import NO_REFERENCE


class _LogFile(logging.FileHandler):
    """A log file; if its disk is full, messages go to the terminal, without traceback."""

    def handleError(self, record):  # noqa: N802 - logging's name
        error = sys.exc_info()[1]
        if isinstance(error, OSError) and explain_error(error):
            print(record.getMessage(), "(the log cannot be written either)", file=sys.stderr)
        else:
            super().handleError(record)


def start(snakemake):
    """Log to the rule's log file, errors included; the user's errors without traceback."""

    def log_uncaught(kind, error, traceback):
        if issubclass(kind, InputError):
            logging.error("%s", error)
        elif issubclass(kind, OSError) and (
            explanation := explain_error(error, snakemake.output[0])
        ):
            logging.error("%s", explanation)
        else:
            logging.critical("%s", error, exc_info=(kind, error, traceback))

    # Set first, because even the log may fail to open; the error then goes to the terminal.
    sys.excepthook = log_uncaught
    Path(snakemake.log[0]).parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        handlers=[_LogFile(snakemake.log[0], mode="w", encoding="utf-8")],
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        force=True,
    )
    logging.captureWarnings(True)


def piece(snakemake):
    """Return number and count of a scattered job's piece: (2, 4) of ``2-of-4``."""
    number, count = snakemake.wildcards.scatteritem.split("-of-")
    return int(number), int(count)


def reference(snakemake):
    """Return the setting `reference` with the file that the rule has as an input, if any."""
    return {"reference": str(snakemake.input.hairpins) or NO_REFERENCE}
