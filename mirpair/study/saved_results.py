"""Saved results that another study, or machine, reuses instead of running the trainings."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mirpair.contracts import USUAL_BASELINES
from mirpair.files import InputError, atomic
from mirpair.recipes import Recipe

# The files of a training that tables, figures and the report need: not its weights.
BENCHMARK = "benchmark.tsv"
OF_RUN = ("history.tsv", "predictions.tsv.gz", "provenance.json", BENCHMARK)
OF_WATCHED = ("history.tsv", "provenance.json")
DATA = "data.json"
_BASELINES = "baselines"


def reusable_runs(
    folder: str | Path,
    planned: Mapping[str, Mapping[str, Any]],
    files: Iterable[str] = OF_RUN,
    *,
    epochs: int | None = None,
) -> list[str]:
    """List the planned trainings that are saved in full, and were trained just as planned.

    Parameters
    ----------
    folder
        Folder with saved results, laid out as ``results/<study>/``.
    planned
        Folder of a run, such as ``runs/human-cv1/fixed/paper/seed0``, to the keys of its
        provenance that must be the same: run, model, recipe.
    files, epochs
        Files of a run that must be there; number of epochs in the history, if it differs from the
        run's.

    Raises
    ------
    InputError
        If a provenance cannot be read.
    """
    reusable = []
    for name, training in planned.items():
        path = Path(folder, name)
        if all((path / file).is_file() for file in files):
            rows = len((path / "history.tsv").read_text("utf-8").splitlines()) - 1
            same = _is_same(training, _read_json(path / "provenance.json"))
            if same and rows == (epochs or training["run"]["epochs"]):
                reusable.append(name)
    return reusable


def _is_same(planned: Mapping[str, Any], saved: Mapping[str, Any]) -> bool:
    """Tell whether a training was as planned: keys that are newer than it had their defaults."""
    newer = {"recipe": asdict(Recipe())}
    return all(
        {**newer[name], **saved.get(name, {})} == value
        if name in newer
        else saved.get(name) == value
        for name, value in planned.items()
    )


def check_data(folder: str | Path, data: Mapping[str, Any], files: Sequence[str]) -> bool:
    """Check that saved results come from the data that the config names; False if there are none.

    Parameters
    ----------
    folder
        Folder with saved results, or for them.
    data
        What must be the same: datasets, experiments and audit of the config, and under sha256 the
        checksum of each file that they name, where it is known. Baselines may differ, see
        `check_baselines`.
    files
        Descriptions of the records (`datasets/…`): all must be there.

    Raises
    ------
    InputError
        If there is no such folder, its results come from other data, or a part of them is missing.
    """
    path = Path(folder) / DATA
    if not Path(folder).is_dir():
        raise InputError(
            f"{folder}: there is no such folder; correct `reuse` in the config, or make the folder "
            "if results are to be saved there"
        )
    missing = [name for name in (DATA, *files) if not (Path(folder) / name).is_file()]
    if len(missing) > len(files) and not (Path(folder) / "runs").exists():
        return False
    if DATA in missing:
        raise _incomplete(folder, missing)
    # Before the other files: those of another study have other names.
    saved = _read_json(path)
    sets, saved_sets = _sets(data), _sets(saved)
    if saved_sets and not set(sets) & set(saved_sets):
        raise InputError(
            f"{folder}: these are the saved results of another study: its sets are "
            f"{', '.join(saved_sets)}, those of the config are {', '.join(sets)}. Name the "
            "folder of this study as `reuse`, or leave it out"
        )
    known = saved.get("sha256", {})
    if changed := [ref for ref, it in data["sha256"].items() if known.get(ref, it) != it]:
        raise InputError(
            f"{folder}: these results were made with another version of {changed[0]}; leave out "
            "`reuse`, or name another folder"
        )
    others = [name for name in data if name not in ("sha256", _BASELINES)]
    other = [name for name in others if saved.get(name) != data[name]]
    if other:
        raise InputError(
            f"{folder}: these results come from other data: the section "
            f"{', '.join(other)} of the config differs from that in {path}; leave out `reuse`"
        )
    if missing:
        raise _incomplete(folder, missing)
    return True


def check_baselines(folder: str | Path, data: Mapping[str, Any]) -> bool:
    """Tell whether all baselines of the config are saved, so that none has to be saved.

    `folder` and `data` are those of `check_data`, which found saved results. Baselines are the
    usual ones if `data` names none.

    Raises
    ------
    InputError
        If they have to be saved, and the config lacks some of those that are there.
    """
    path = Path(folder) / DATA
    wanted, there = (it.get(_BASELINES, USUAL_BASELINES) for it in (data, _read_json(path)))
    if set(wanted) <= set(there):
        return True
    if lost := [name for name in there if name not in wanted]:
        raise InputError(
            f"{folder}: the baselines are made and saved again, and {', '.join(lost)} would be "
            "lost: add what is missing to `baselines`, or name another folder"
        )
    return False


def _incomplete(folder: str | Path, missing: Sequence[str]) -> InputError:
    more = f" and {len(missing) - 1} more are" if len(missing) > 1 else " is"
    return InputError(
        f"{folder}: {missing[0]}{more} missing; copy the missing files again from the source of "
        "these results, or leave out `reuse`. (Only the target `save` makes a folder with saved "
        "results; a folder of results/ is none.)"
    )


def _sets(data: Mapping[str, Any]) -> list[str]:
    """List the names of the sets in a description of data; none if it has no such section."""
    sets = data.get("datasets")
    return sorted(sets) if isinstance(sets, Mapping) else []


def pack(source: str | Path, destination: str | Path) -> None:
    """Copy a file, compressed if the destination ends in .gz: the same bytes every time."""
    content = Path(source).read_bytes()
    if Path(destination).suffix == ".gz":
        content = gzip.compress(content, mtime=0)
    with atomic(destination) as temporary:
        temporary.write_bytes(content)


def unpack(source: str | Path, destination: str | Path) -> None:
    """Restore a file that `pack` wrote; an `InputError` if it is damaged."""
    content = Path(source).read_bytes()
    if Path(source).suffix == ".gz":
        try:
            if not content:
                raise EOFError("it is empty")
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(
                f"{source}: is damaged ({error}); copy it again from the source of these results"
            ) from error
    with atomic(destination) as temporary:
        temporary.write_bytes(content)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); delete its folder") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: is not a JSON object; delete its folder")
    return content
