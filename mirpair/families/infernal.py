"""Which family an RNA belongs to, by Infernal's covariance models."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import RNA

from mirpair.files import InputError, write_text

HITS = {"sequence": "int64", "family": "str", "bits": "float64"}
BEST = {"family": "str", "bits": "float64"}
# No fit of a calibration but the median of the 1,293 that MirMachine 0.3.0.5 brings; see
# `build_models`. Lambda, mu, mu of the tail, nt searched, hits, share of hits in the tail.
_TAILS = """\
ECMLC    0.64344    -5.02608     3.73772     1600000      333236  0.003601
ECMGC    0.45508   -12.59173     0.31146     1600000      130110  0.003074
ECMLI    0.62432    -3.47311     5.02794     1600000      234887  0.005109
ECMGI    0.49355    -8.07314     2.98398     1600000       88342  0.004528
"""
_ALIGN = (
    *("--globalpair", "--maxiterate", "1000"),  # a family's hairpins are alike from end to end
    *("--nuc", "--quiet"),
    *("--thread", "1"),  # with more, the refinement differs from run to run
)
_SEARCH = (
    "--toponly",  # an RNA is no copy of its reverse complement
    "--notrunc",  # the RNAs are whole; to look for cut ones takes three times as long
    "--noali",
    *("-Z", "1"),  # otherwise the filters depend on how many RNAs are asked for at once
    *("-T", "0"),
)
# Which file of the wheel: one model a family, of proto- and deuterostomes together, that the
# program searches with by default.
_MIRGENEDB = re.compile(r"mirmachine/meta/cms/combined/(.+)\.PRE\.CM")
_MODEL = re.compile(r"^NAME +(\S+)", re.MULTILINE)
_PACKAGE = {"mafft": "mafft", "cmbuild": "infernal", "cmsearch": "infernal"}


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
        In the same order, all of one length, with ``-`` where others have a base.

    Raises
    ------
    InputError
        If there is no MAFFT.
    ChildProcessError
        If it fails; with the end of what it said.
    """
    if len(sequences) == 1:
        return list(sequences)
    with tempfile.TemporaryDirectory(prefix="mirpair-") as name:
        _write_fasta(sequences, Path(name) / "family.fa")
        text = _run(["mafft", *_ALIGN, "family.fa"], Path(name))
    rows = [entry.partition("\n")[2] for entry in text.split(">")[1:]]
    return [re.sub(r"\s", "", row).upper().replace("T", "U") for row in rows]


def consensus(aligned: Sequence[str]) -> str:
    """Dot-bracket of the structure that aligned RNAs have in common, by ViennaRNA's RNAalifold.

    With RIBOSUM scores and the weights that belong to them, covariance 0.6 and its lack 0.5
    (Bernhart et al. 2008, doi:10.1186/1471-2105-9-474): by its defaults, many a family of miRNAs
    has no pair in common.
    """
    model = RNA.md()
    model.ribo, model.cv_fact, model.nc_fact = 1, 0.6, 0.5
    structure, _ = RNA.fold_compound(list(aligned), model).mfe()
    return str(structure)


def build_models(families: Mapping[str, Sequence[str]], *, processes: int = 1) -> dict[str, str]:
    """Build a covariance model of each family from its sequences alone.

    `align`, `consensus` and ``cmbuild`` with its defaults (Nawrocki and Eddy 2013,
    doi:10.1093/bioinformatics/btt509). A family whose consensus has no pair gets a model without
    any; Infernal then searches with its profile HMM, whose bits are scores too.

    The models are not calibrated, which takes minutes each: E-values mean nothing. Bit scores do
    not depend on it. What does is the CYK filter before them, for which the median of the
    calibrated MirGeneDB models stands in. Of 328 RNAs and five models that were calibrated too
    (``-L 0.05``), `hits` is the same with both.

    Parameters
    ----------
    families
        Sequences over ACGU of each family, at least one; a name has no white space.
    processes
        How many families are built at a time; the result is the same for any.

    Returns
    -------
    dict
        Family to the text of its model, in the order of `families`.

    Raises
    ------
    InputError
        If there is no MAFFT or no Infernal.
    ChildProcessError
        If one of them fails; with the end of what it said.
    """
    # What takes time runs in programs, so threads do.
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
    # Without the date the same sequences give the same bytes.
    model = re.sub(r"^DATE .*\n", "", model, flags=re.MULTILINE)
    return re.sub(r"^CM\n", f"{_TAILS}CM\n", model, count=1, flags=re.MULTILINE)


def write_models(models: Mapping[str, str], path: str | Path) -> None:
    """Write models as one file that Infernal's programs read too."""
    write_text(path, "".join(models.values()))


def read_models(path: str | Path) -> dict[str, str]:
    """Read a file of covariance models: family to the text of its model, in the file's order.

    Raises
    ------
    InputError
        If it cannot be read or is no such file.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file; covariance models were expected") from error
    models: dict[str, str] = {}
    for entry in filter(None, re.split(r"^(?=INFERNAL1/)", text, flags=re.MULTILINE)):
        name = _MODEL.search(entry)
        if not entry.startswith("INFERNAL1/") or not entry.endswith("//\n") or not name:
            raise InputError(
                f"{path}: not a file of Infernal's covariance models, or cut off after model "
                f"{len(models)}; delete it to have it made again"
            )
        models[name[1]] = entry
    return models


def mirgenedb_models(wheel: str | Path) -> dict[str, str]:
    """Covariance models of MirGeneDB's families, calibrated, from MirMachine's wheel.

    Umu et al. 2023, doi:10.1016/j.xgen.2023.100348; PyPI ``mirmachine``, MIT licence. Of its
    models these are ``meta/cms/combined``: one a family, built on all of MirGeneDB, with which
    the program searches unless told otherwise. The others are of protostomes or deuterostomes
    alone, or (``meta/lcms``) the same ones for hits with long insertions.

    Parameters
    ----------
    wheel
        File as published; only these models are unpacked.

    Returns
    -------
    dict
        Family to the text of its model, by name.

    Raises
    ------
    InputError
        If it is not that wheel.
    """
    models: dict[str, str] = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name in sorted(archive.namelist()):
                if found := _MIRGENEDB.fullmatch(name):
                    text = archive.read(name).decode("ascii")
                    # MirGeneDB's own name of a family has no such ending.
                    models[found[1]] = re.sub(r"^(NAME .*)\.PRE$", r"\1", text, flags=re.MULTILINE)
    except OSError as error:
        raise InputError(f"{wheel}: cannot be read ({error.strerror})") from error
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise InputError(f"{wheel}: damaged ({error}); delete it and load it again") from error
    if not models:
        raise InputError(
            f"{wheel}: no models of MirGeneDB in it; a wheel of mirmachine was expected"
        )
    return models


def hits(
    models: Mapping[str, str],
    sequences: Sequence[str],
    *,
    threads: int = 1,
    options: Sequence[str] = (),
) -> pd.DataFrame:
    """Score RNAs by every model that they pass the filters of.

    ``cmsearch`` on the given strand, for whole RNAs, not cut ones: for each RNA and each model the
    best local alignment of at least 0 bits. The filters are those of a search in 1 Mb, however
    many RNAs there are.

    Parameters
    ----------
    models
        Family to the text of its model.
    sequences
        Over ACGU.
    threads
        The result is the same for any.
    options
        More options of ``cmsearch``, such as ``--hmmonly``.

    Returns
    -------
    DataFrame
        Columns sequence (place in `sequences`, from 0), family and bits (log-odds score, bits);
        by sequence, the highest bits first.

    Raises
    ------
    InputError
        If there is no Infernal.
    ChildProcessError
        If it fails; with the end of what it said.
    """
    # cmsearch's own threads share out long sequences, not many short ones, so each has a search.
    parts = [range(first, len(sequences), max(1, threads)) for first in range(max(1, threads))]
    asked = [part for part in parts if models and len(part)]
    with ThreadPoolExecutor(max(1, len(asked))) as pool:
        found = pool.map(lambda part: _search(models, sequences, part, options), asked)
        rows = [row for part in found for row in part]
    # Of equal bits the family that comes first in the alphabet, not the one that was ready first.
    rows.sort(key=lambda row: (row[0], -row[2], row[1]))
    table = pd.DataFrame(rows, columns=list(HITS)).astype(HITS)
    return table.drop_duplicates(["sequence", "family"], ignore_index=True)


def _search(
    models: Mapping[str, str],
    sequences: Sequence[str],
    places: Sequence[int],
    options: Sequence[str],
) -> list[tuple[int, str, float]]:
    """Place, family and bits of every hit of some of the sequences."""
    with tempfile.TemporaryDirectory(prefix="mirpair-") as name:
        folder = Path(name)
        write_models(models, folder / "models.cm")
        _write_fasta([sequences[place] for place in places], folder / "queries.fa")
        # 0 is Infernal's word for the main thread alone.
        files = ["--cpu", "0", "--tblout", "hits.tbl", "models.cm", "queries.fa"]
        _run(["cmsearch", *_SEARCH, *options, *files], folder)
        lines = (folder / "hits.tbl").read_text(encoding="ascii").splitlines()
    cells = [line.split() for line in lines if not line.startswith("#")]
    return [(places[int(row[0])], row[2], float(row[14])) for row in cells]


def scan(
    models: Mapping[str, str],
    sequences: Sequence[str],
    *,
    threads: int = 1,
    options: Sequence[str] = (),
) -> pd.DataFrame:
    """Give each RNA the family whose model scores highest; see `hits`.

    Returns
    -------
    DataFrame
        A row a sequence, in their order; columns family and bits (log-odds score, bits), ``""``
        and NaN where no model reports it.
    """
    best = hits(models, sequences, threads=threads, options=options).drop_duplicates("sequence")
    found = best.set_index("sequence").reindex(range(len(sequences)))
    return found.fillna({"family": ""}).astype(BEST).reset_index(drop=True)


def counterparts(families: Sequence[str], found: pd.DataFrame, *, noise: float) -> dict[str, str]:
    """Of each family the one family of other models that most of its members belong to.

    Parameters
    ----------
    families
        Family of each RNA, by the names of one database.
    found
        What `scan` gives for these RNAs with the models of another.
    noise
        Hits of fewer bits than this do not count; shuffled RNAs say which.

    Returns
    -------
    dict
        Family to that in the other database which is the best hit of more than half of its RNAs;
        families without one are left out. Several may have the same.
    """
    best: dict[str, list[str]] = {}
    for own, other, bits in zip(families, found["family"], found["bits"], strict=True):
        best.setdefault(own, []).append(other if bits >= noise else "")
    most = {own: Counter(others).most_common(1)[0] for own, others in sorted(best.items())}
    return {
        own: other for own, (other, count) in most.items() if other and 2 * count > len(best[own])
    }


def _write_fasta(sequences: Sequence[str], path: Path) -> None:
    text = (f">{number}\n{sequence}\n" for number, sequence in enumerate(sequences))
    path.write_text("".join(text), encoding="ascii")


def _run(command: list[str], folder: Path) -> str:
    """What a program writes to its standard output."""
    program = command[0]
    if not shutil.which(program):
        package = _PACKAGE[program]
        raise InputError(
            f"The program {program} is not on PATH. "
            f"Install it: apt-get install {package}, or conda install -c bioconda {package}."
        )
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:]) or "it said nothing"
        raise ChildProcessError(f"{program} ended with status {done.returncode}: {said}")
    return done.stdout
