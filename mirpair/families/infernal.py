"""Classify RNAs into families by Infernal's covariance models."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import pandas as pd
import RNA

from mirpair.families.model_files import write_models
from mirpair.files import InputError

HITS = {"sequence": "int64", "family": "str", "bits": "float64"}
# Median calibration of the 1,293 models in MirMachine 0.3.0.5, see `build_models`. Columns: lambda,
# mu, mu of the tail, nt searched, hits, share of hits in the tail.
_TAILS = """\
ECMLC    0.64344    -5.02608     3.73772     1600000      333236  0.003601
ECMGC    0.45508   -12.59173     0.31146     1600000      130110  0.003074
ECMLI    0.62432    -3.47311     5.02794     1600000      234887  0.005109
ECMGI    0.49355    -8.07314     2.98398     1600000       88342  0.004528
"""
_ALIGN = (
    *("--globalpair", "--maxiterate", "1000"),  # hairpins of a family are similar end to end
    *("--nuc", "--quiet"),
    *("--thread", "1"),  # with more threads the refinement differs between runs
)
_SEARCH = (
    "--toponly",  # the reverse complement is another RNA
    "--notrunc",  # the RNAs are complete; a search for truncated ones takes three times as long
    "--noali",
    *("-Z", "1"),  # otherwise the filters depend on the number of RNAs per search
    *("-T", "0"),
)
# Files of the wheel with one model per family, of proto- and deuterostomes together: MirMachine's
# default.
_MIRGENEDB = re.compile(r"mirmachine/meta/cms/combined/(.+)\.PRE\.CM")


def align(sequences: Sequence[str]) -> list[str]:
    """Align the RNAs of a family from end to end.

    By MAFFT's G-INS-i (Katoh and Standley 2013, doi:10.1093/molbev/mst010).

    Parameters
    ----------
    sequences
        Over ACGU; at least one.

    Returns
    -------
    list of str
        In the same order, all of one length, with ``-`` for gaps.

    Raises
    ------
    InputError, ChildProcessError
        If the program is not installed; if it fails, with the last lines of its output.
    """
    if len(sequences) == 1:
        return list(sequences)
    with tempfile.TemporaryDirectory(prefix="mirpair-") as name:
        _write_fasta(sequences, Path(name) / "family.fa")
        text = _run(["mafft", *_ALIGN, "family.fa"], Path(name))
    rows = [entry.partition("\n")[2] for entry in text.split(">")[1:]]
    return [re.sub(r"\s", "", row).upper().replace("T", "U") for row in rows]


def consensus(aligned: Sequence[str]) -> str:
    """Predict the consensus structure of aligned RNAs (dot-bracket) by ViennaRNA's RNAalifold.

    It uses RIBOSUM scores with their weights, 0.6 for covariance and 0.5 for non-compatible pairs
    (Bernhart et al. 2008, doi:10.1186/1471-2105-9-474). With the defaults, many miRNA families have
    no consensus pair.
    """
    model = RNA.md()
    model.ribo, model.cv_fact, model.nc_fact = 1, 0.6, 0.5
    structure, _ = RNA.fold_compound(list(aligned), model).mfe()
    return str(structure)


def build_models(families: Mapping[str, Sequence[str]], *, processes: int = 1) -> dict[str, str]:
    """Build a covariance model of each family from its sequences only.

    It runs `align`, `consensus` and ``cmbuild`` with its defaults (Nawrocki and Eddy 2013,
    doi:10.1093/bioinformatics/btt509). A family without consensus pairs gets a model without pairs;
    Infernal then searches with its profile HMM, which gives bit scores too.

    The models are not calibrated, which takes minutes each, so E-values are meaningless. Bit scores
    do not depend on the calibration, but the CYK filter before them does: it uses the median of the
    calibrated MirGeneDB models. For 328 RNAs and five models that were calibrated as a check
    (``-L 0.05``), `hits` is the same with both.

    Parameters
    ----------
    families
        Name to at least one sequence over ACGU; names have no white space.
    processes
        Number of families built at a time; it does not change the result.

    Returns
    -------
    dict
        Family to the text of its model, in the order of `families`.

    Raises
    ------
    InputError, ChildProcessError
        As `align`, for MAFFT and Infernal.
    """
    # External programs do the work, so threads are enough.
    with ThreadPoolExecutor(max(1, processes)) as pool:
        texts = pool.map(_build, families, families.values())
        return dict(zip(families, texts, strict=True))


def _build(family: str, sequences: Sequence[str]) -> str:
    aligned = align(sequences)
    rows = [f"{number} {row}" for number, row in enumerate(aligned)]
    text = [f"# STOCKHOLM 1.0\n#=GF ID {family}", *rows, f"#=GC SS_cons {consensus(aligned)}\n//\n"]
    with tempfile.TemporaryDirectory(prefix="mirpair-") as name:
        folder = Path(name)
        (folder / "family.sto").write_text("\n".join(text), encoding="ascii")
        _run(["cmbuild", "-F", "family.cm", "family.sto"], folder)
        model = (folder / "family.cm").read_text(encoding="ascii")
    # Remove the date, so that the same sequences give the same bytes.
    model = re.sub(r"^DATE .*\n", "", model, flags=re.MULTILINE)
    return re.sub(r"^CM\n", f"{_TAILS}CM\n", model, count=1, flags=re.MULTILINE)


def mirgenedb_models(wheel: str | Path) -> dict[str, str]:
    """Read the calibrated covariance models of MirGeneDB's families from MirMachine's wheel.

    Umu et al. 2023, doi:10.1016/j.xgen.2023.100348; PyPI ``mirmachine``, MIT licence. It reads
    ``meta/cms/combined``: one model per family, built on all of MirGeneDB, which MirMachine uses by
    default. The other models are of protostomes or deuterostomes only, or (``meta/lcms``) the same
    models for hits with long insertions.

    The result is as of `build_models`, sorted by name; `InputError` if it is another file.
    """
    models: dict[str, str] = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name in sorted(archive.namelist()):
                if model := _MIRGENEDB.fullmatch(name):
                    text = archive.read(name).decode("ascii")
                    # MirGeneDB's names of families do not have this ending.
                    models[model[1]] = re.sub(r"^(NAME .*)\.PRE$", r"\1", text, flags=re.MULTILINE)
    except OSError as error:
        raise InputError(f"{wheel}: cannot be read ({error.strerror})") from error
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise InputError(f"{wheel}: damaged ({error}); delete it and download it again") from error
    if not models:
        raise InputError(
            f"{wheel}: has no MirGeneDB models; download the wheel of mirmachine again"
        )
    return models


def hits(
    models: Mapping[str, str],
    sequences: Sequence[str],
    *,
    threads: int = 1,
    options: Sequence[str] = (),
) -> pd.DataFrame:
    """Score RNAs by every model whose filters they pass.

    It runs ``cmsearch`` on the given strand for complete RNAs, and reports the best local alignment
    of each RNA and model with at least 0 bits. The filters are those of a search in 1 Mb, for any
    number of RNAs.

    Parameters
    ----------
    models
        Family to the text of its model.
    sequences
        Over ACGU.
    threads
        Number of searches that run at a time; it does not change the result.
    options
        Additional options of ``cmsearch``, such as ``--hmmonly``.

    Returns
    -------
    DataFrame
        Columns sequence (index in `sequences`), family and bits (log-odds score); sorted by
        sequence, then by falling bits.

    Raises
    ------
    InputError, ChildProcessError
        As `align`, for Infernal.
    """
    # cmsearch's own threads divide long sequences, not many short ones, so run several searches.
    parts = [range(first, len(sequences), max(1, threads)) for first in range(max(1, threads))]
    queries = [part for part in parts if models and part]
    with ThreadPoolExecutor(max(1, len(queries))) as pool:
        results = pool.map(lambda part: _search(models, sequences, part, options), queries)
        rows = list(chain.from_iterable(results))
    # Equal bits are sorted by family, so that the order does not depend on the threads.
    rows.sort(key=lambda row: (row[0], -row[2], row[1]))
    table = pd.DataFrame(rows, columns=list(HITS)).astype(HITS)
    return table.drop_duplicates(["sequence", "family"], ignore_index=True)


def _search(
    models: Mapping[str, str], sequences: Sequence[str], indices: range, options: Sequence[str]
) -> list[tuple[int, str, float]]:
    """Search some of the sequences; return index, family and bits of every hit."""
    with tempfile.TemporaryDirectory(prefix="mirpair-") as name:
        folder = Path(name)
        write_models(models, folder / "models.cm")
        _write_fasta([sequences[index] for index in indices], folder / "queries.fa")
        # --cpu 0 means the main thread only.
        files = ["--cpu", "0", "--tblout", "hits.tbl", "models.cm", "queries.fa"]
        _run(["cmsearch", *_SEARCH, *options, *files], folder)
        lines = (folder / "hits.tbl").read_text(encoding="ascii").splitlines()
    cells = [line.split() for line in lines if not line.startswith("#")]
    return [(indices[int(row[0])], row[2], float(row[14])) for row in cells]


def scan(
    models: Mapping[str, str],
    sequences: Sequence[str],
    *,
    threads: int = 1,
    options: Sequence[str] = (),
) -> pd.DataFrame:
    """Call each RNA's family by the model that scores highest.

    Parameters and errors are those of `hits`.

    Returns
    -------
    DataFrame
        One row per sequence, in order; columns family and bits (log-odds score), ``""`` and NaN
        without any hit.
    """
    best = hits(models, sequences, threads=threads, options=options).drop_duplicates("sequence")
    calls = best.set_index("sequence").reindex(range(len(sequences)))
    return calls.fillna({"family": ""}).astype({"family": "str"}).reset_index(drop=True)


def counterparts(families: Sequence[str], calls: pd.DataFrame, *, noise: float) -> dict[str, str]:
    """Match each family to the family of another database that most of its members belong to.

    Parameters
    ----------
    families, calls
        Of each RNA, its family in the first database, and `scan` with the models of the other one.
    noise
        Minimum number of bits of a hit, chosen above the scores of shuffled RNAs.

    Returns
    -------
    dict
        Family to the other database's family that is the best hit of more than half of its RNAs.
        Families without one are left out; several may share one.
    """
    best: dict[str, list[str]] = {}
    for own, other, bits in zip(families, calls["family"], calls["bits"], strict=True):
        best.setdefault(own, []).append(other if bits >= noise else "")
    most = {own: Counter(others).most_common(1)[0] for own, others in sorted(best.items())}
    return {
        own: other for own, (other, count) in most.items() if other and 2 * count > len(best[own])
    }


def _write_fasta(sequences: Sequence[str], path: Path) -> None:
    text = (f">{number}\n{sequence}\n" for number, sequence in enumerate(sequences))
    path.write_text("".join(text), encoding="ascii")


def _run(command: list[str], folder: Path) -> str:
    """Run a program and return its standard output."""
    program = command[0]
    if not shutil.which(program):
        package = "mafft" if program == "mafft" else "infernal"
        raise InputError(
            f"The program {program} is not on PATH. "
            f"Install it: apt-get install {package}, or conda install -c bioconda {package}."
        )
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        last_lines = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        raise ChildProcessError(
            f"{program} ended with status {done.returncode}: {last_lines or 'no output'}"
        )
    return done.stdout
