"""Check the config of a study, and explain its errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from mirpair.files import InputError
from mirpair.settings import NO_REFERENCE
from mirpair.study.arms import ArmsStudy
from mirpair.study.families import FamilyStudy
from mirpair.study.identification import Study
from mirpair.study.prediction import PredictionStudy
from mirpair.study.sources import AnyCollection
from mirpair.study.splits import AnySplit
from mirpair.values import explain_value, written

# Keys that were renamed: the old names still work in this release.
RENAMED = {"kept": "reuse"}
AnyStudy = Study | FamilyStudy | ArmsStudy | PredictionStudy
_TASKS: dict[Any, type[AnyStudy]] = {
    "identification": Study,
    "families": FamilyStudy,
    "arms": ArmsStudy,
    "prediction": PredictionStudy,
}


def schema() -> dict[str, Any]:
    """Return the JSON schema of a config of any task, for editors."""
    return TypeAdapter(AnyStudy).json_schema()


def load_study(config: Mapping[str, Any]) -> AnyStudy:
    """Check a config as it came from YAML; its key `task` says which kind of study it is.

    Keys of the top level that begin with ``x-`` are for the user's anchors, and are left out.

    Raises
    ------
    InputError
        Listing everything that is wrong: where it is, what it is and what it should be.
    """
    config = {key: value for key, value in config.items() if not str(key).startswith("x-")}
    task = config.get("task", "identification")
    if "task" not in config and (missing := _task_of_keys(config)):
        raise _invalid([missing])
    if not isinstance(task, str) or task not in _TASKS:
        raise _invalid([f"task: is {written(task)}, must be one of {', '.join(_TASKS)}"])
    try:
        problems = list(_keys_that_are_no_text(config))
    except RecursionError:
        problems = ["an anchor (`&name`) contains itself (`*name`)"]
    if problems:
        raise _invalid(problems)
    try:
        return _TASKS[task].model_validate(_with_new_keys(config, _TASKS[task]))
    except ValidationError as error:
        old_names = {new: old for old, new in RENAMED.items() if old in config}
        raise _invalid(_explain(dict(it), old_names) for it in error.errors()) from error


def _task_of_keys(config: Mapping[str, Any]) -> str:
    """Say which task a config without `task` must name if its keys are those of another one."""
    default = Study.model_fields.keys()
    for task, kind in _TASKS.items():
        keys = [key for key in kind.model_fields if key in config and key not in default]
        if keys and not config.keys() & (default - kind.model_fields.keys()):
            return f"task: this key is missing; add `task: {task}`, which the key `{keys[0]}` needs"
    return ""


def _keys_that_are_no_text(value: Any, where: str = "") -> Iterator[str]:
    """List the keys that YAML reads as something else, such as `no`, in all sections."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(key, str):
                yield from _keys_that_are_no_text(item, f"{where}.{key}" if where else key)
            else:
                yield f"{where or 'the config'}: the key {_as_read(key)}"
    elif isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from _keys_that_are_no_text(item, f"{where}.{number}")


def _as_read(key: Any) -> str:
    """Say what YAML takes a key for, and how to write it as text."""
    if isinstance(key, bool):
        names = ("yes", "y", "on") if key else ("no", "n", "off")
        return (
            f"{', '.join(names[::2])} or {str(key).lower()} is {key} for YAML; put the name in "
            f"quotes, as in '{names[0]}'"
        )
    if key is None:
        return "is empty; give it a name"
    return f"{written(key)} is no text for YAML; put it in quotes: '{written(key)}'"


def _invalid(problems: Iterable[str]) -> InputError:
    listed = "\n".join(f"  - {problem}" for problem in problems)
    return InputError(f"the config is not valid:\n{listed}\nconfig/README.md explains every key.")


def renamed_keys(config: Mapping[str, Any]) -> list[str]:
    """List a notice for each key of a config that has a new name, or no effect any more."""
    notices = [
        f"the key `{old}` is now called `{new}`; the old name"
        for old, new in RENAMED.items()
        if old in config
    ]
    if _has_fast(config):
        notices.append(
            "the key `scan.fast` has no effect: a scan is always fast, unless `exhaustive` is "
            "true; the key"
        )
    notices += [
        f"the key `{section}.nearest` is now called `{section}.reference`: write "
        f"`reference: {NO_REFERENCE}` in place of `nearest: false`; the old name"
        for section in _sections_with_nearest(config)
    ]
    return [f"config: {notice} stops working in the next release" for notice in notices]


def _with_new_keys(config: Mapping[str, Any], kind: type[AnyStudy]) -> dict[str, Any]:
    renamed = {old: new for old, new in RENAMED.items() if new in kind.model_fields}
    for old, new in renamed.items():
        if old in config and new in config:
            raise InputError(f"config: `{old}` is the old name of `{new}`; give only `{new}`")
    updated = {renamed.get(key, key): value for key, value in config.items()}
    if _has_fast(config):
        updated["scan"] = {key: value for key, value in config["scan"].items() if key != "fast"}
    for section in _sections_with_nearest(config):
        keys = dict(updated[section])
        nearest = keys.pop("nearest")
        if "reference" in keys:
            raise InputError(
                f"config: `{section}.nearest` is an old name; give only `{section}.reference`"
            )
        if not isinstance(nearest, bool):
            raise _invalid([f"{section}.nearest: is {written(nearest)}, must be true or false"])
        updated[section] = keys if nearest else {**keys, "reference": NO_REFERENCE}
    return updated


def _has_fast(config: Mapping[str, Any]) -> bool:
    """Tell whether a prediction has the old key `fast`."""
    scan = config.get("scan") if config.get("task") == "prediction" else None
    return isinstance(scan, Mapping) and "fast" in scan


def _sections_with_nearest(config: Mapping[str, Any]) -> list[str]:
    """List the sections of a prediction that have the old key `nearest`."""
    sections = ("predict", "scan") if config.get("task") == "prediction" else ()
    return [
        name
        for name in sections
        if isinstance(config.get(name), Mapping) and "nearest" in config[name]
    ]


def _names(union: Any, key: str) -> list[str]:
    """List the kinds of a section by the value of the key that distinguishes them."""
    return [get_args(kind.model_fields[key].annotation)[0] for kind in get_args(union)]


_SPLITS = _names(AnySplit, "split")
_COLLECTIONS = _names(AnyCollection, "source")
_KINDS = (*_SPLITS, *_COLLECTIONS, "results", "counts", "kinds", "cutting")
# Sections whose keys are names of the user.
_NAMED = ("collections", "datasets", "experiments", "models", "recipes", "tables")


def _explain(problem: dict[str, Any], old_names: Mapping[str, str]) -> str:
    loc = list(problem["loc"])
    if loc:
        # The name that the user wrote.
        loc[0] = old_names.get(loc[0], loc[0])
    # pydantic adds the kind that it takes an experiment or a table for, after its name.
    if len(loc) > 2 and loc[0] in ("experiments", "tables", "collections") and loc[2] in _KINDS:
        del loc[2]
    # Entries of lists are counted from 1; a number that is a key of a mapping stays as it is.
    named = loc and loc[0] in _NAMED
    where = ".".join(
        str(part + 1) if isinstance(part, int) and not (named and depth == 1) else str(part)
        for depth, part in enumerate(loc)
        if part != "[key]"
    )
    match problem["type"]:
        case "extra_forbidden" | "unexpected_keyword_argument":
            return f"{where}: this key is not known here; is it misspelt or in the wrong section?"
        case "missing":
            return f"{where}: this key is missing"
        case "union_tag_not_found" | "union_tag_invalid" if loc[0] == "collections":
            return f"{where}.source: must be one of {', '.join(_COLLECTIONS)}"
        case "union_tag_not_found" | "union_tag_invalid":
            return f"{where}.split: must be one of {', '.join(_SPLITS)}"
        case "string_pattern_mismatch" if loc[0] == "collections" and "families" in loc:
            return f"{where}: is {problem['input']!r}; an accession of Rfam is RF and five digits"
        case "string_pattern_mismatch" if loc == ["families"]:
            how = "write {family} once, in place of a family's name"
            return f"{where}: is {problem['input']!r}; {how}"
        case "string_pattern_mismatch":
            return f"{where}: is {problem['input']!r}; a name is letters, digits, - and _"
        case "value_error":
            text = str(problem["ctx"]["error"])
            return f"{where}: {text}" if where else text
        case _:
            return f"{where}: {explain_value(problem)}"
