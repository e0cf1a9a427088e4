"""Say why an RNA is called a pre-miRNA: `explain`."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mirpair.cli.options import Jobs, Weights, setting
from mirpair.cli.sequences import file_name
from mirpair.cli.terminal import check_inputs, check_output, cores, messages, say
from mirpair.files import InputError, write_tsv
from mirpair.rna.sequences import Record, read_records
from mirpair.settings import Kingdom, PredictionSettings

if TYPE_CHECKING:
    import numpy.typing as npt


def explain(
    fasta: Annotated[str, typer.Argument(help="FASTA file, plain or gzip.", metavar="FASTA")],
    name: Annotated[str, typer.Argument(help="Id of the RNA.", metavar="ID")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder to write to; it is made.")
    ] = Path(),
    weights: Weights = None,
    kingdom: Annotated[
        Kingdom, setting(PredictionSettings, "kingdom")
    ] = PredictionSettings.kingdom,
    jobs: Jobs = 0,
) -> None:
    """Show which bases and pairs of an RNA make its score.

    Each base is replaced by the three others, and each pair is turned around (G-C becomes C-G).
    Each changed RNA is folded and scored again. Importance is what the score loses, in log-odds.

    It writes three files named as the ID: .tsv (a row for each base: position, base, partner,
    importance, and the lowest and highest of its three changes), .changes.tsv (a row for each
    changed RNA with its score), and .svg (the structure, and importance along the RNA).

    Example: mirpair explain candidates.fa chr7:100-190(+) -o why
    """
    with messages():
        check_inputs([fasta])
        path = output / file_name(name)
        paths = [path.with_name(f"{path.name}{it}") for it in (".tsv", ".changes.tsv", ".svg")]
        output.mkdir(parents=True, exist_ok=True)
        for it in paths:
            check_output(it, [fasta, weights])
        record = _find(fasta, name)

        import numpy as np

        from mirpair.pages.structures import draw_importance
        from mirpair.pages.style import save
        from mirpair.prediction.importance import importance
        from mirpair.prediction.predictor import predict
        from mirpair.rna.folding import fold

        def score(sequences: Sequence[str]) -> npt.NDArray[np.float64]:
            table = predict(
                list(sequences),
                weights=weights,
                kingdom=kingdom,
                reference=None,
                processes=jobs or cores(),
            )
            if (missing := table["score"].isna()).any():
                reason = table.loc[missing, "reason"].iloc[0]
                raise InputError(f"{name}: has no score ({reason})")
            return table["score"].to_numpy(dtype=np.float64)

        structure = fold(record.sequence)
        found = importance(record.sequence, structure.dot_bracket, score)
        of_pairs = np.full(len(record.sequence), np.nan)
        for row in found.pairs.to_dict("records"):
            of_pairs[[row["first"] - 1, row["second"] - 1]] = row["importance"]
        write_tsv(found.bases, paths[0], float_format="%.4f")
        write_tsv(found.changes, paths[1], float_format="%.4f")
        figure = draw_importance(
            name, record.sequence, structure, found.bases["importance"].tolist(), of_pairs.tolist()
        )
        save(figure, paths[2].resolve())
        say(f"{name}: score {found.score:.4f}; written: {', '.join(map(str, paths))}")


def _find(fasta: str, name: str) -> Record:
    """Find the record with an id; `InputError` if there is none, or it cannot be scored."""
    ids = []
    for record, problem in read_records(fasta):
        if record.id == name:
            if problem:
                raise InputError(f"{fasta}: {name}: {problem.reason}")
            return record
        ids.append(record.id)
    near = get_close_matches(name, ids, n=1)
    raise InputError(
        f"{fasta}: has no record {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    )
