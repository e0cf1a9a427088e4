"""What every script does first: its log file gets all that it says, tracebacks too."""

import logging
import sys

from mirpair.files import InputError


def start(snakemake):
    """Log to the rule's log file and end with a message that a person can use."""
    logging.basicConfig(
        filename=snakemake.log[0],
        filemode="w",
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        force=True,
    )
    logging.captureWarnings(True)

    def log_uncaught(kind, error, traceback):
        if issubclass(kind, InputError):
            logging.error("%s", error)
        else:
            logging.critical("%s", error, exc_info=(kind, error, traceback))

    sys.excepthook = log_uncaught
