"""Files of covariance models, as Infernal's programs write and read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mirpair.files import REMAKE, InputError, write_text

# What decides the family of an RNA, see `mirpair.families.covariance`.
BY_PROFILE, BY_MODEL = "profile HMM", "covariance model"
_MODEL = re.compile(r"^NAME +(\S+)", re.MULTILINE)


def write_models(models: Mapping[str, str], path: str | Path) -> None:
    """Write models as one file, which Infernal's programs can read."""
    write_text(path, "".join(models.values()))


def read_models(path: str | Path) -> dict[str, str]:
    """Read a file of covariance models as family to text; `InputError` if it is another file."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file, but expected covariance models") from error
    return split_models(path, text)


def split_models(path: str | Path, text: str) -> dict[str, str]:
    """Split the text of a file of covariance models as `read_models` does."""
    models: dict[str, str] = {}
    for entry in filter(None, re.split(r"^(?=INFERNAL1/)", text, flags=re.MULTILINE)):
        name = _MODEL.search(entry)
        if not entry.startswith("INFERNAL1/") or not entry.endswith("//\n") or not name:
            raise InputError(
                f"{path}: not a file of Infernal's covariance models, or truncated after model "
                f"{len(models)}; {REMAKE}"
            )
        models[name[1]] = entry
    return models
