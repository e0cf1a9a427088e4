"""Parts of sequences, as a config names them."""

from __future__ import annotations

import re
from typing import NamedTuple

from mirpair.files import InputError

_REGION = re.compile(r"(\S+):(\d+)-(\d+)")


class Region(NamedTuple):
    """A part of a sequence: its name, start (from 0) and end."""

    name: str
    start: int
    end: int

    @classmethod
    def parse(cls, text: str) -> Region:
        """Read ``X:2700001-46950000``, counted from 1, both ends included; else an `InputError`."""
        match = _REGION.fullmatch(text)
        if not match or not 1 <= int(match[2]) <= int(match[3]):
            raise InputError(
                f"{text!r} is no region; write it as sequence:start-end, such as X:2700001-46950000"
            )
        return cls(match[1], int(match[2]) - 1, int(match[3]))
