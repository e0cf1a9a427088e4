"""What every script imports first: the library beside the workflow, and a log that is complete."""

import logging
import sys
from pathlib import Path

# The library beside the scripts is the one whose code the rules track, so it is the one that
# runs, even where another version is installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirpair.files import InputError, way_out


class _LogFile(logging.FileHandler):
    """A log on a full disk is told on the terminal, in one line and not with a traceback."""

    def handleError(self, record):  # noqa: N802 - logging's name
        error = sys.exc_info()[1]
        if isinstance(error, OSError) and way_out(error):
            print(record.getMessage(), "(the log cannot be written either)", file=sys.stderr)
        else:
            super().handleError(record)


def start(snakemake):
    """Log to the rule's log file; an error ends there too, one of the user's without traceback."""

    def log_uncaught(kind, error, traceback):
        if issubclass(kind, InputError):
            logging.error("%s", error)
        elif issubclass(kind, OSError) and (told := way_out(error, snakemake.output[0])):
            logging.error("%s", told)
        else:
            logging.critical("%s", error, exc_info=(kind, error, traceback))

    # First, because not even the log may be possible to write; the terminal has it then.
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
    """Which piece of how many a job of a scattered rule is: of ``2-of-4``, (2, 4)."""
    number, count = snakemake.wildcards.scatteritem.split("-of-")
    return int(number), int(count)
