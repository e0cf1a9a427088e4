"""Settings: one owner of defaults, bounds and descriptions, which config and command line read."""

from __future__ import annotations

import inspect
import re
from dataclasses import asdict, fields
from typing import get_type_hints

import numpy as np
import pytest
from typer.testing import CliRunner

import mirpair
from mirpair.cli import predict as cli_predict
from mirpair.cli import scan as cli_scan
from mirpair.cli.app import app
from mirpair.files import InputError
from mirpair.settings import (
    FALSE_POSITIVES,
    HairpinCriteria,
    PredictionSettings,
    ScanOutput,
    ScanSection,
    ScanSettings,
    Settings,
    part,
)
from mirpair.study.load import load_study

COMMANDS = [
    ("predict", cli_predict.predict, PredictionSettings),
    ("scan", cli_scan.scan, ScanSettings),
    ("scan", cli_scan.scan, HairpinCriteria),
    ("scan", cli_scan.scan, ScanOutput),
]


def test_a_choice_of_false_positives_is_its_share() -> None:
    assert FALSE_POSITIVES == {"5%": 0.05, "1%": 0.01, "0.1%": 0.001, "0.01%": 0.0001}


def test_the_section_of_the_config_has_all_settings_of_a_scan_and_is_taken_apart() -> None:
    section = ScanSection(span=100, prior=0.5, reference="none", top=7)
    assert part(section, ScanOutput) == ScanOutput(7)
    assert part(section, HairpinCriteria) == HairpinCriteria(span=100)
    assert part(section, ScanSettings) == ScanSettings(prior=0.5, reference="none")
    assert asdict(section) == {
        name: value
        for kind in (HairpinCriteria, ScanSettings, ScanOutput)
        for name, value in asdict(part(section, kind)).items()
    }


@pytest.mark.parametrize(("name", "function", "kind"), COMMANDS)
def test_an_option_has_the_default_the_bounds_and_the_description_of_its_field(
    name: str, function: object, kind: type[Settings]
) -> None:
    assert callable(function)
    defaults = {key: it.default for key, it in inspect.signature(function).parameters.items()}
    types = get_type_hints(function, include_extras=True)
    shown = re.sub(r"\s+", " ", CliRunner().invoke(app, [name, "--help"]).stdout)
    for field in fields(kind):
        default = defaults[field.name]
        assert (tuple(default) if isinstance(default, list) else default) == field.default
        (option,) = types[field.name].__metadata__
        assert option.help.startswith(field.metadata["description"])
        for key, word in (("gt", "above"), ("lt", "below")):
            if key in field.metadata:
                assert f"{word} {field.metadata[key]}" in option.help
        assert (option.min, option.max) == (field.metadata.get("ge"), field.metadata.get("le"))
        assert field.metadata["description"].replace("-", "") in shown.replace("- ", "").replace(
            "-", ""
        )


def test_the_library_and_the_config_have_the_same_defaults() -> None:
    study = load_study({"study": "mine", "task": "prediction", "samples": "my.tsv"})
    assert study.predict == PredictionSettings()  # type: ignore[union-attr]
    assert study.scan == ScanSection()  # type: ignore[union-attr]
    assert isinstance(study.scan, ScanSection)  # type: ignore[union-attr]
    defaults = {
        name: it.default for name, it in inspect.signature(mirpair.predict).parameters.items()
    }
    for field in fields(PredictionSettings):
        assert defaults[field.name] == field.default


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (PredictionSettings(prior=0.0), "prior: is 0.0, must be above 0 and below 1"),
        (ScanSettings(prior=1.0), "prior: is 1.0, must be above 0 and below 1"),
        (HairpinCriteria(span=401), "span: is 401, must be at least 50 and at most 400"),
        (HairpinCriteria(stem=2), "stem: is 2, must be at least 3"),
        (
            HairpinCriteria(stem=80),
            "stem: 80 base pairs and a loop of 3 nt are 163 nt, but span is 120: no hairpin can be "
            "found; lower stem or raise span",
        ),
        (HairpinCriteria(mfe=0.1), "mfe: is 0.1, must be at most 0"),
        (HairpinCriteria(mfe=float("-inf")), "mfe: is -inf, must be a finite number"),
        (PredictionSettings(prior=float("nan")), "prior: is nan, must be a finite number"),
        (PredictionSettings(threshold=True), "threshold: is True, must be a finite number"),
        (PredictionSettings(reference=""), "reference: is '', must not be empty"),
        (ScanSettings(reference=""), "reference: is '', must not be empty"),
        (HairpinCriteria(span=True), "span: is True, must be a whole number"),
        (HairpinCriteria(span=100.0), "span: is 100.0, must be a whole number"),  # type: ignore[arg-type]
        (HairpinCriteria(span="100"), "span: is '100', must be a whole number"),  # type: ignore[arg-type]
        (HairpinCriteria(masked=1), "masked: is 1, must be True or False"),  # type: ignore[arg-type]
    ],
)
def test_a_value_out_of_bounds_or_of_another_type_is_refused(
    settings: Settings, message: str
) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        settings.check()


def test_a_config_has_circular_sequences_and_refuses_a_stem_that_is_too_long() -> None:
    config = {"study": "mine", "task": "prediction", "samples": "my.tsv"}
    study = load_study({**config, "scan": {"circular": ["chrM", "pXO1"]}})
    assert study.scan.circular == ("chrM", "pXO1")  # type: ignore[union-attr]
    with pytest.raises(InputError, match="stem: 80 base pairs"):
        load_study({**config, "scan": {"stem": 80}})


def test_values_on_inclusive_bounds_pass() -> None:
    for settings in (
        HairpinCriteria(span=50, stem=3, loop=3, mfe=0.0),
        HairpinCriteria(span=400, stem=198),
    ):
        settings.check()


def test_numbers_of_numpy_and_whole_numbers_for_shares_pass() -> None:
    HairpinCriteria(span=np.int64(60), mfe=-15).check()  # type: ignore[arg-type]
    PredictionSettings(prior=np.float32(0.25), threshold=np.float64(0.5)).check()  # type: ignore[arg-type]
