"""Anyone's RNAs are scored, the same whatever is beside them, or have a reason why not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import RNA
import torch
from conftest import ROOT, random_rna
from scipy.special import expit, logit

import mirpair
from mirpair import files
from mirpair.files import InputError
from mirpair.networks import weights
from mirpair.networks.build import build
from mirpair.networks.weights import save_weights
from mirpair.prediction import predictor as prediction
from mirpair.prediction.calibration import calibrate
from mirpair.prediction.predictor import (
    CHUNK,
    Predictor,
    predict,
    predict_records,
    score_molecules,
)
from mirpair.prediction.table import to_lines
from mirpair.prediction.weights import (
    GenomeCurve,
    GenomeRate,
    KingdomWeights,
    PreMirnaNetworks,
    StemLimits,
    check_choice,
    find_weights,
    load_networks,
    write_networks,
)
from mirpair.recipes import FAMILY_MODELS, MODELS
from mirpair.rna.encoding import encode
from mirpair.rna.folding import fold
from mirpair.rna.known_hairpins import load_known_hairpins
from mirpair.rna.sequences import Record, read_fasta
from mirpair.rna.structures import GivenStructure
from mirpair.settings import Kingdom, PredictionSettings, ScanSettings

# Long enough for the shipped weights to say something of them.
REAL = [
    sequence
    for name in ("positives", "negatives")
    for sequence in [
        record.sequence
        for record in read_fasta(ROOT / "config" / "demo" / f"{name}.fa")
        if len(record.sequence) >= 76
    ][:90]
]


def asking(**settings: float) -> Predictor:
    """The shipped weights, asked about candidates."""
    return Predictor.for_candidates(load_networks(), PredictionSettings(**settings))  # type: ignore[arg-type]


def test_the_shipped_weights_are_small_and_have_their_card() -> None:
    path = find_weights()
    assert path.stat().st_size <= 10_000_000
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    from mirpair.files import sha256

    assert sha256(path) in card
    trained = load_networks()
    assert trained.candidates is not None
    assert trained.genome is not None


def test_two_lines_of_python_say_who_is_a_pre_mirna() -> None:
    mir_21 = "UGUCGGGUAGCUUAUCAGACUGAUGUUGACUGUUGAAUCUCAUGGCAACACCAGUCGAUGGGCUGUCUGACA"
    table = mirpair.predict({"mir-21": mir_21.replace("U", "t"), "other": REAL[-1]})
    assert table["id"].tolist() == ["mir-21", "other"]
    first = table.iloc[0]
    assert first["length"] == len(mir_21)
    assert (first["structure"], first["mfe"]) == fold(mir_21)
    assert first["call"] == 1
    assert first["probability"] > 0.9
    assert "hsa-mir-21" in first["nearest"]
    assert tuple(first[["identity", "coverage", "status", "other_known"]]) == (1, 1, "known", "")
    assert list(table) == [
        *("id", "length", "structure", "mfe", "score", "probability", "call", "reason"),
        *("nearest", "identity", "coverage", "status", "other_known"),
    ]
    # Without names they are numbered; without RNAs there are no rows, but all columns.
    assert predict([REAL[0], REAL[1]], reference="none")["id"].tolist() == ["1", "2"]
    none = predict([])
    assert len(none) == 0
    assert list(none) == list(table)


def test_a_score_is_the_mean_of_the_networks_by_their_definition() -> None:
    chosen = REAL[::30]
    molecules = [encode(s, *fold(s)) for s in chosen]
    # Of the first format, in double precision; of the present one, half are in single precision.
    for path, precision in (("benchmark", 1e-12), (None, 1e-5)):
        with torch.no_grad():
            members = [
                torch.softmax(network.double()(molecules, dense=True), dim=1)[:, 1]
                for network in load_networks(path).networks
            ]
        expected = torch.stack(members).mean(dim=0).numpy()
        assert len(members) == (1 if path else 6)
        scores = predict(chosen, reference="none", weights=path)["score"]
        np.testing.assert_allclose(scores, expected, atol=precision)


def test_nothing_depends_on_processes_chunks_order_or_copies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = predict(REAL, reference="none")
    assert len(REAL) > 2 * CHUNK
    pd.testing.assert_frame_equal(predict(REAL, reference="none", processes=2), table)
    reverse = predict(REAL[::-1], reference="none").iloc[::-1].reset_index(drop=True)
    assert [line.split("\t")[1:] for line in to_lines(reverse)] == [
        line.split("\t")[1:] for line in to_lines(table)
    ]
    doubled = predict([s for s in REAL[:40] for _ in range(2)], reference="none")
    assert doubled["score"].tolist()[::2] == doubled["score"].tolist()[1::2]
    monkeypatch.setattr(prediction, "CHUNK", 7)
    assert to_lines(predict(REAL, reference="none")) == to_lines(table)


def test_the_prior_moves_the_probability_by_bayes_and_nothing_else() -> None:
    low, high = (predict(REAL, prior=prior, reference="none") for prior in (0.01, 0.5))
    shift = logit(0.5) - logit(0.01)
    moved = expit(logit(low["probability"].to_numpy()) + shift)
    np.testing.assert_allclose(moved, high["probability"], rtol=1e-9)
    pd.testing.assert_series_equal(low["score"], high["score"])
    assert low["call"].sum() < high["call"].sum()
    for table in (low, high):
        assert table["call"].tolist() == (table["probability"] >= 0.5).astype(int).tolist()
    strict = predict(REAL, prior=0.5, threshold=0.95, reference="none")
    assert strict["call"].tolist() == (high["probability"] >= 0.95).astype(int).tolist()


def test_what_cannot_be_scored_has_a_reason() -> None:
    predictor = load_networks()
    longest = predictor.longest
    rng = np.random.default_rng(0)
    given = {
        "good": REAL[0],
        "character": REAL[0][:20] + "N" + REAL[0][20:],
        "star": "AC*GU",
        "empty": "",
        "long": random_rna(rng, longest + 1),
        "longest": random_rna(rng, longest),
        "flat": "A" * 80,
    }
    table = predict(given).set_index("id")
    reasons = table["reason"].to_dict()
    assert reasons == {
        "good": "",
        "character": "'N' at position 21",
        "star": "'*' at position 3",
        "empty": "no sequence",
        "long": f"too long: {longest + 1} > {longest}",
        "longest": "",
        "flat": "no hairpin",
    }
    scored = table["reason"] == ""
    for column in ("score", "probability", "call"):
        assert table[column].notna().tolist() == scored.tolist()
    assert table.loc["long", "length"] == longest + 1
    assert table.loc["flat", "structure"] == "." * 80
    assert table.loc["character", "structure"] == ""


def test_a_number_is_written_with_thousands_in_a_reason() -> None:
    assert predict(["A" * 1204], reference="none")["reason"][0].startswith("too long: 1,204 > ")


@pytest.mark.parametrize(("name", "value"), [("prior", 0.0), ("prior", 1.0), ("threshold", 1.5)])
def test_a_setting_out_of_range_is_refused_before_anything_is_folded(
    name: str, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction, "given_or_folded", None)
    with pytest.raises(InputError, match=f"{name}: is {value}, must be above 0 and below 1"):
        predict(REAL[:1], **{name: value})  # type: ignore[arg-type]


def test_pieces_together_are_the_whole() -> None:
    records = [(Record(str(n), s, "f", n), None) for n, s in enumerate(REAL * 2)]
    predictor = asking(reference="none")
    whole = [to_lines(table) for table in predict_records(records, predictor)]
    pieces = [
        [to_lines(table) for table in predict_records(records, predictor, piece=n, pieces=4)]
        for n in (1, 2, 3, 4)
    ]
    assert len(whole) == -(-len(records) // CHUNK)
    assert [pieces[n % 4][n // 4] for n in range(len(whole))] == whole


def test_any_number_of_records_needs_the_memory_of_a_few() -> None:
    """Records are asked for as they are needed."""
    asked = 0

    def endless() -> object:
        nonlocal asked
        while True:
            asked += 1
            yield Record(str(asked), REAL[asked % 3], "f", asked), None

    tables = predict_records(endless(), asking(reference="none"))  # type: ignore[arg-type]
    for _ in range(3):
        next(tables)
    assert asked <= 6 * CHUNK


def trained(folder: Path, seeds: tuple[int, ...] = (1, 2), model: str = "variable") -> list[Path]:
    paths = [folder / f"{model}{seed}.safetensors" for seed in seeds]
    for seed, path in zip(seeds, paths, strict=True):
        save_weights(build(MODELS[model], seed=seed), path)
    return paths


def short(folder: Path) -> Path:
    path = folder / "short.safetensors"
    save_weights(build(replace(MODELS["fixed"], max_length=200), seed=0), path)
    return path


LABELS, SCORES = [0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.8, 0.9]
CALIBRATION = calibrate(LABELS, SCORES)
OF_GENOMES = calibrate(LABELS, [score / 2 for score in SCORES])


def kingdom(places: list[Path]) -> KingdomWeights:
    return KingdomWeights(
        places,
        CALIBRATION,
        OF_GENOMES,
        cuts={"5%": 0.4, "1%": 0.6},
        rates={
            "5%": [GenomeRate("yeast", 1000, 500, 50)],
            "1%": [GenomeRate("yeast", 1e3, 500, 0)],
        },
        curves=[GenomeCurve("yeast", (0.25, 0.5, 0.875), (60.0, 20.0, 2.0))],
        stems={"5%": StemLimits(3.0, 0.05), "1%": StemLimits(-1.5, 0.25)},
    )


def benchmark() -> PreMirnaNetworks:
    """Weights of the first format."""
    return load_networks("benchmark")


def test_what_is_shipped_is_read_again_for_each_kingdom(tmp_path: Path) -> None:
    """Also networks of different kinds; the score is the mean of all."""
    places = [*trained(tmp_path), *trained(tmp_path, (3,), "without-pairing")]
    path = tmp_path / "shipped.safetensors"
    parts: dict[Kingdom, KingdomWeights] = {
        "animals": kingdom(places),
        "plants": kingdom(places[:1]),
    }
    write_networks(path, parts)
    first = path.read_bytes()
    write_networks(path, parts)
    assert path.read_bytes() == first
    read = load_networks(path)
    assert [it.model.label for it in read.networks] == [
        *("Variable-sized", "Variable-sized", "Without pairing matrix")
    ]
    assert (read.candidates, read.genome) == (CALIBRATION, OF_GENOMES)
    assert (read.cuts, read.rates) == (parts["animals"].cuts, parts["animals"].rates)
    assert (read.shortest, read.longest) == (40, 400)
    chosen = REAL[:3]
    each = [predict(chosen, weights=place, reference="none")["score"] for place in places]
    both = predict(chosen, weights=path, reference="none")
    np.testing.assert_allclose(both["score"], sum(each) / 3, atol=1e-12)
    expected = CALIBRATION.probability(both["score"], 0.1)
    np.testing.assert_allclose(both["probability"], expected)
    plants = predict(chosen, weights=path, reference="none", kingdom="plants")
    np.testing.assert_allclose(plants["score"], each[0], atol=1e-12)


def test_a_kingdom_that_a_file_lacks_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "shipped.safetensors"
    write_networks(path, {"animals": kingdom(trained(tmp_path, (1,)))})
    with pytest.raises(InputError, match="no networks for plants, only for animals"):
        predict(REAL[:1], weights=path, kingdom="plants")
    for other in (trained(tmp_path, (1,))[0], ROOT / "weights" / "pre-mirna.safetensors"):
        if other.parent == tmp_path or "kingdoms" not in str(other.read_bytes()[:5000]):
            with pytest.raises(InputError, match="do not say for which kingdoms they are"):
                load_networks(other, "plants")
    with pytest.raises(InputError, match="kingdom: is 'fungi', must be one of 'animals', 'plants'"):
        predict(REAL[:1], kingdom="fungi")  # type: ignore[arg-type]


def test_every_rna_of_40_to_400_nt_is_scored_by_one_rule(tmp_path: Path) -> None:
    path = tmp_path / "shipped.safetensors"
    write_networks(path, {"animals": kingdom(trained(tmp_path))})
    stem = "GGCAUCCAGAUCAGGACAUGC"
    hairpin = stem + "UUCG" + "GCAUGUCCUGAUCUGGAUGCC"
    rnas = [hairpin[4:-4], hairpin[:40], hairpin, hairpin + "A" * (400 - len(hairpin))]
    table = predict([*rnas, rnas[-1] + "A"], weights=path, reference="none")
    assert table["length"].tolist() == [38, 40, 46, 400, 401]
    assert table["reason"].tolist()[::4] == ["too short: 38 < 40", "too long: 401 > 400"]
    scored = table[1:4]
    expected = CALIBRATION.probability(scored["score"], 0.1)
    np.testing.assert_allclose(scored["probability"], expected)
    genome = Predictor.for_genome(load_networks(path), ScanSettings(reference="none"))
    records = [(Record(str(n), it, "f", n), None) for n, it in enumerate(rnas)]
    found = pd.concat(predict_records(records, genome))
    np.testing.assert_array_equal(found["score"][1:], scored["score"])
    expected = OF_GENOMES.probability(scored["score"], 0.001)
    np.testing.assert_allclose(found["probability"][1:], expected)


def test_a_rate_of_calls_has_the_interval_of_the_few_that_were_seen() -> None:
    """Ten of 100, by Wilson's formula: 0.0552 to 0.1744; one of 20,000 says little."""
    low, high = GenomeRate("yeast", 1000, 100, 100).interval
    assert (low, high) == pytest.approx((55.2, 174.4), abs=0.05)
    assert str(GenomeRate("X", 10_000, 20_000, 0.5)) == "about 0.5 (0.088 to 2.8) in X"
    assert GenomeRate("X", 10, 10, 10).interval[1] == pytest.approx(10)


def test_a_scan_reports_how_many_of_its_calls_are_false(tmp_path: Path) -> None:
    path = tmp_path / "shipped.safetensors"
    write_networks(path, {"animals": kingdom(trained(tmp_path, (1,)))})
    read = load_networks(path)
    assert read.stems == {"5%": StemLimits(3.0, 0.05), "1%": StemLimits(-1.5, 0.25)}
    loose = Predictor.for_genome(read, ScanSettings(false_positives="5%"))
    assert loose.stems == StemLimits(3.0, 0.05)
    assert Predictor.for_genome(read, ScanSettings()).stems == StemLimits(-1.5, 0.25)
    assert Predictor.for_genome(read, ScanSettings(false_positives="5%")).expected == (
        "about 50 (34 to 73) in yeast"
    )
    # None of 500 was called, so fewer than three in 500 of 1,000 are.
    assert Predictor.for_genome(read, ScanSettings()).expected == "fewer than 6 in yeast"
    with pytest.raises(InputError, match=r"no threshold for 0\.01%.* choose one of 5%, 1%"):
        Predictor.for_genome(read, ScanSettings(false_positives="0.01%"))
    # The workflow asks before any job runs.
    with pytest.raises(InputError, match=r"no threshold for 0\.01%.* choose one of 5%, 1%"):
        check_choice(path, "animals", "0.01%")
    with pytest.raises(InputError, match="no networks for plants, only for animals"):
        check_choice(path, "plants")
    check_choice(path, "animals", "lowest")
    check_choice(path, "animals", "5%")
    check_choice(tmp_path / "missing", "plants", "0.01%")
    # Weights of one training, which do not say for which kingdom they are.
    alone = trained(tmp_path)[0]
    check_choice(alone, "animals", "0.01%")
    with pytest.raises(InputError, match="do not say for which kingdoms they are"):
        check_choice(alone, "plants")


def test_a_score_does_not_depend_on_what_is_beside_it() -> None:
    """One RNA alone, some and many: the same in every digit, in double precision in nearly all."""
    networks = load_networks().networks
    single = [it for it in networks if it.output.weight.dtype == torch.float32]
    assert len(single) == 3
    molecules = {it: encode(it, *fold(it)) for it in REAL[:90]}
    for chosen, tolerance in ((single, 0.0), (networks, 1e-14)):
        every = score_molecules(chosen, list(molecules.values()))
        expected = dict(zip(molecules, every.tolist(), strict=True))
        for rnas in (REAL[:90][::-1], REAL[:90][::7], REAL[3:5], REAL[5:6]):
            scores = score_molecules(chosen, [molecules[it] for it in rnas])
            np.testing.assert_allclose(
                scores, [expected[it] for it in rnas], rtol=0, atol=tolerance
            )
    table = predict(REAL[:90], reference="none")
    pd.testing.assert_frame_equal(
        predict(REAL[:90], reference="none", processes=2), table, rtol=0, atol=0
    )


def test_weights_that_come_with_the_package_have_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(files, "SHIPPED", [tmp_path])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"benchmark\.safetensors"):
        find_weights("benchmark")
    (tmp_path / "benchmark.safetensors").write_bytes(b"")
    assert find_weights(Path("benchmark")) == tmp_path / "benchmark.safetensors"
    assert find_weights("own.safetensors") == Path("own.safetensors")


def test_weights_of_a_training_have_no_probability_and_call_by_the_score(tmp_path: Path) -> None:
    (place,) = trained(tmp_path, (3,))
    table = predict(REAL[:20], weights=place, reference="none")
    assert table["probability"].isna().all()
    assert table["call"].tolist() == (table["score"] >= 0.5).astype(int).tolist()


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pickled = tmp_path / "weights.pt"
    torch.save({"weight": torch.zeros(2)}, pickled)
    family = tmp_path / "family.safetensors"
    save_weights(build(FAMILY_MODELS["one-hot"], seed=0, classes=["a", "b"]), family)
    for path, said in (
        (tmp_path / "none", "cannot be read \\(No such file"),
        (pickled, "not weights that find pre-miRNAs"),
        (family, "classifies families"),
    ):
        with pytest.raises(InputError, match=said):
            load_networks(path)
    path = tmp_path / "x.safetensors"
    with pytest.raises(InputError, match="takes RNAs of up to 200 nt"):
        write_networks(path, {"animals": kingdom([short(tmp_path)])})
    monkeypatch.setattr(weights, "LARGEST", 100_000)
    with pytest.raises(InputError, match="shipped weights may have at most 0 MB"):
        write_networks(path, {"animals": kingdom(trained(tmp_path))})
    assert not (tmp_path / "x.safetensors").exists()


def test_predict_compares_with_ones_own_hairpins(tmp_path: Path) -> None:
    path = tmp_path / "my.fa"
    path.write_text(f">Hsa-Mir-Mine_pre\n{REAL[1].replace('U', 'T').lower()}\n")
    table = predict([f"ACGUACG{REAL[1]}GGAUC", REAL[0]], reference=path)
    assert table["nearest"][0] == "Hsa-Mir-Mine_pre"
    assert table["identity"][0] == table["coverage"][0] == 1
    assert table["status"].tolist() == ["known", "novel"]
    path.write_text("")
    with pytest.raises(InputError, match=r"my\.fa: the file is empty"):
        predict(REAL[:1], reference=path)


def test_the_old_argument_nearest_still_works_with_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match="nearest is now reference='none'"):
        old = predict(REAL[:2], nearest=False)
    pd.testing.assert_frame_equal(old, predict(REAL[:2], reference="none"))


def test_without_the_file_that_is_shipped_a_message_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(files, "SHIPPED", [tmp_path / "none"])
    with pytest.raises(InputError, match="make weights"):
        load_networks()
    with pytest.raises(InputError, match="--reference none"):
        load_known_hairpins()


def test_a_limit_of_length_is_that_of_what_trained() -> None:
    trained = replace(load_networks(), longest=90)
    predictor = Predictor.for_candidates(trained, PredictionSettings())
    assert predictor.unfit("A" * 91) == "too long: 91 > 90"
    assert predictor.unfit("A" * 90) == predictor.unfit("A" * 40) == ""
    assert predictor.unfit("A" * 39) == "too short: 39 < 40"


def test_predict_and_scan_give_a_short_rna_the_same_probability() -> None:
    """The benchmark has no short negatives, hairpins of a genome are of all lengths."""
    trained = benchmark()
    candidates = Predictor.for_candidates(trained, PredictionSettings(prior=0.1))
    genome = Predictor.for_genome(trained, ScanSettings(prior=0.1))
    assert (trained.shortest, trained.candidates_from) == (1, 75)
    scores = np.full(3, 0.99)
    lengths = np.array([74, 75, 60])
    short, long, shorter = candidates.probability(scores, lengths)
    assert short == shorter == genome.probability(scores, lengths)[0]
    assert trained.candidates is not None
    assert long == trained.candidates.probability(scores[:1], 0.1)[0] > short
    # What a scan calls, predict calls too, with the defaults of both.
    cut = np.array([genome.cut])
    assert candidates.probability(cut, np.array([60]))[0] >= candidates.cut


def test_a_record_with_two_hairpins_is_scored_and_has_a_hint() -> None:
    """Two precursors of a cluster: each alone is called, both together are not."""
    first, second = (next(s for s in REAL if fold(s).dot_bracket.count("(") == n) for n in (30, 28))
    alone = predict([first, second], reference="none")
    assert alone["reason"].tolist() == ["", ""]
    both = predict([first + "ACAACAACAACAACA" + second], reference="none")
    assert both["score"].notna().all()
    assert both["reason"].tolist() == ["several hairpins: mirpair scan finds and scores each"]


def test_long_flanks_have_a_hint_and_short_ones_have_none() -> None:
    hairpin = next(
        s for s in REAL if set(fold(s).dot_bracket[:1] + fold(s).dot_bracket[-1:]) == {"(", ")"}
    )
    flanked = [f"{'CA' * n}{hairpin}{'CA' * n}" for n in (0, 7, 8, 20)]
    assert all(fold(it).dot_bracket.strip(".") == fold(hairpin).dot_bracket for it in flanked)
    assert predict(flanked, reference="none")["reason"].tolist() == [
        *["", ""],
        "flanks: 32 unpaired bases; mirpair scan cuts them off",
        "flanks: 80 unpaired bases; mirpair scan cuts them off",
    ]


def test_a_structure_that_is_given_takes_the_place_of_the_folded_one() -> None:
    """GGGAAACCC with its second best structure, with and without an energy."""
    sequence = REAL[0]
    folded = fold(sequence)
    opened = "." + folded.dot_bracket[1:-1] + "."
    predictor = asking(reference="none")

    def scored(structure: GivenStructure | None) -> pd.DataFrame:
        record = Record("a", sequence, "f", 1, structure=structure)
        return pd.concat(predict_records([(record, None)], predictor))

    same = scored(GivenStructure(folded.dot_bracket, folded.mfe))
    pd.testing.assert_frame_equal(same, scored(None))
    other = scored(GivenStructure(opened, None))
    assert other["structure"].tolist() == [opened]
    energy = round(RNA.eval_structure_simple(sequence, opened), 2)
    assert other["mfe"].tolist() == [energy] != [folded.mfe]
    assert other["score"].tolist() != same["score"].tolist()
    assert scored(GivenStructure(opened, -1.5))["mfe"].tolist() == [-1.5]


def test_a_score_has_the_digits_by_which_a_scan_calls() -> None:
    """As many that the rates stand apart, and that none of them changes its calls by rounding."""
    cuts = list(load_networks().cuts.values())
    table = predict(REAL[:6], reference="none")
    score = list(table).index("score")
    for cut in cuts:
        for near in (cut - 1e-5, cut + 1e-5):
            lines = to_lines(table.assign(score=near), score_digits=6)
            assert (float(lines[0].split("\t")[score]) >= cut) == (near >= cut)


@pytest.mark.parametrize("of", ["animals", "plants"])
def test_the_shipped_weights_tell_how_many_false_positives_to_expect(of: Kingdom) -> None:
    trained = load_networks(kingdom=of)
    of_rates = {rate.genome: rate for rate in trained.rates["0.1%"]}
    assert [curve.genome for curve in trained.curves] == list(of_rates)
    for curve in trained.curves:
        rate = of_rates[curve.genome]
        assert curve.calls[0] == pytest.approx(rate.hairpins, rel=0.02), "all hairpins"
        assert rate.calls * 0.95 <= curve.calls_from(trained.cuts["0.1%"]) <= 1.5 * rate.calls
    predictor = Predictor.for_genome(trained, ScanSettings(kingdom=of))
    calls = [predictor.false_calls(score) for score in (0.0, 0.5, 0.9, 0.99, 1.0)]
    assert calls == sorted(calls, reverse=True)
    assert calls[0] == max(curve.calls[0] for curve in trained.curves)
