"""Coverage-guided fuzzing of what reads other people's files, see `make fuzz`.

    python -m tests.fuzz TARGET [options of libFuzzer, such as -max_total_time=600]

A target is called with bytes that the fuzzer changes so that ever more of our code is reached. All
that a reader may raise is an `InputError`; any other exception is a finding, and so is an answer
that breaks what the reader promises. Seeds are this repository's own files.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["mirpair", "Bio.SeqIO.FastaIO", "numpy.lib", "zipfile"]):
    import numpy as np
    import yaml

    from mirpair.contracts import ALPHABET
    from mirpair.files import InputError
    from mirpair.rna.encoded_sets import Tensors
    from mirpair.rna.encoding import decode, encode, pairing_partners
    from mirpair.rna.sequences import LONGEST, read_records
    from mirpair.sources.published import read_sources
    from mirpair.study.load import load_study
from mirpair.study.prediction import read_samples

ROOT = Path(__file__).parent.parent.parent
# In memory where there is such a folder, so that a disk is not worn out.
_SHM = Path("/dev/shm")
_FOLDER = Path(tempfile.mkdtemp(prefix="mirpair-fuzz-", dir=_SHM if _SHM.is_dir() else None))


_SOME_RNA = encode("GGGAAACCCA", "(((...))).", -1.2)
_SOME = {
    name: getattr(Tensors.build(["a", "b"], [1, 0], [_SOME_RNA, _SOME_RNA]), name)
    for name in ("ids", "labels", "mfe", "offsets", "codes", "partner")
}
_CONFIGS = [path.read_text("utf-8") for path in sorted((ROOT / "config").glob("*.yaml"))]


def _file(data: bytes, suffix: str) -> Path:
    path = _FOLDER / f"input{suffix}"
    path.write_bytes(data)
    return path


def fasta(data: bytes) -> None:
    """Every record that has no problem has an id and is of A, C, G, U."""
    number = 0
    for number, (record, problem) in enumerate(read_records(_file(data, ".fa")), 1):
        assert record.number == number
        if problem is None:
            assert record.id
            assert record.id.isprintable()
            assert " " not in record.id
            assert 0 < len(record.sequence) <= LONGEST
            assert set(record.sequence) <= set(ALPHABET)
        else:
            assert problem.reason in str(problem)
    assert number, "a FASTA file without records is an error"


def dot_bracket(data: bytes) -> None:
    """What is accepted comes back as it was, and pairs are mutual."""
    structure = data.decode("latin-1")
    partner = pairing_partners(structure)
    paired = np.flatnonzero(partner >= 0)
    assert (partner[partner[paired]] == paired).all()
    if structure:
        sequence = "ACGU" * (len(structure) // 4) + "ACGU"[: len(structure) % 4]
        assert decode(encode(sequence, structure, -1.0)) == (sequence, structure)


def npz(data: bytes) -> None:
    """What loads can be read to the last molecule."""
    tensors = Tensors.load(_file(data, ".npz"))
    for molecule in tensors:
        sequence, structure = decode(molecule)
        assert len(sequence) == len(structure)


def arrays(data: bytes) -> None:
    """As `npz`, where the archive is whole and what it holds is not."""
    given = atheris.FuzzedDataProvider(data)
    held = dict(_SOME)
    for _ in range(given.ConsumeIntInRange(1, 4)):
        name = given.PickValueInList(list(held))
        array = held[name]
        match given.ConsumeIntInRange(0, 4):
            case 0:
                held[name] = array[: given.ConsumeIntInRange(0, 12)]
            case 1 if array.dtype.kind != "U":
                held[name] = array.astype(given.PickValueInList(["i1", "i8", "f4", "f8", "U3"]))
            case 2:
                held[name] = array[:, None]
            case 3 if array.dtype.kind in "iuf" and array.size:
                array = array.copy()
                place = given.ConsumeIntInRange(0, array.size - 1)
                value = given.ConsumeIntInRange(-128, 127)
                array.flat[place] = value if array.dtype.kind != "u" else abs(value)
                held[name] = array
            case _:
                held[name] = np.repeat(array, 2, axis=0)
    path = _FOLDER / "arrays.npz"
    np.savez(path, **held)
    npz(path.read_bytes())


def config(data: bytes) -> None:
    """A config of ours with some of its parts changed: valid, or told what is wrong."""
    given = atheris.FuzzedDataProvider(data)
    study = yaml.load(given.PickValueInList(_CONFIGS), yaml.CSafeLoader)
    for _ in range(given.ConsumeIntInRange(1, 5)):
        where, key = _somewhere(study, given)
        if key is None:
            continue
        match given.ConsumeIntInRange(0, 3):
            case 0:
                del where[key]
            case 1:
                where[key] = _something(given)
            case 2 if isinstance(where, dict):
                where[given.ConsumeUnicodeNoSurrogates(8)] = where[key]
            case _:
                other, other_key = _somewhere(study, given)
                if other_key is not None:
                    where[key] = yaml.load(yaml.dump(other[other_key]), yaml.CSafeLoader)
    load_study(study)


def _somewhere(node: Any, given: atheris.FuzzedDataProvider) -> tuple[Any, Any]:
    """A section and a key of it, not always a deep one."""
    where, key = None, None
    while isinstance(node, dict | list) and node:
        where = node
        key = given.PickValueInList(
            list(node) if isinstance(node, dict) else list(range(len(node)))
        )
        node = node[key]
        if not given.ConsumeIntInRange(0, 3):
            break
    return where, key


def _something(given: atheris.FuzzedDataProvider) -> Any:
    simple = (
        None,
        given.ConsumeBool(),
        given.ConsumeInt(9),
        given.ConsumeFloat(),
        given.ConsumeUnicodeNoSurrogates(10),
        given.PickValueInList(
            ["k-fold", "human", "fixed", "paper", "results", "prediction", "../x"]
        ),
    )
    value = given.PickValueInList(list(simple))
    return given.PickValueInList([value, [value], {"a": value}, [], {}, {1: value}, [value, value]])


def sheets(data: bytes) -> None:
    """A sheet of samples and a table of sources: valid, or told what is wrong."""
    for read in (read_samples, read_sources):
        try:
            read(str(_file(data, ".tsv")))
        except InputError:
            continue


def _fastas() -> Iterable[bytes]:
    import gzip

    whole = (ROOT / "config" / "demo" / "positives.fa").read_bytes()
    yield whole[:600]
    yield gzip.compress(whole[:300], mtime=0)
    yield b">a\r\nACGU\r\n\r\n>b\r\nacgtn\r\n"
    yield b"\xef\xbb\xbf>a b\nAC GU\n>\nA\n>c\n"


def _structures() -> Iterable[bytes]:
    yield b"((((....))))...((..))"
    yield b"....."


def _archives() -> Iterable[bytes]:
    some = encode("GGGAAACCC", "(((...)))", -1.2)
    for count in (1, 3):
        path = _FOLDER / "seed.npz"
        Tensors.build([f"r{n}" for n in range(count)], [1] * count, [some] * count).save(path)
        yield path.read_bytes()
        held = dict(np.load(path))
        plain = io.BytesIO()
        np.savez(plain, **held)
        yield plain.getvalue()


def _noise() -> Iterable[bytes]:
    rng = np.random.default_rng(0)
    for length in (8, 32, 128):
        yield rng.bytes(length)


def _sheets() -> Iterable[bytes]:
    yield (ROOT / "config" / "samples.tsv").read_bytes()
    yield (ROOT / "config" / "sources.tsv").read_bytes()[:1500]


TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], Iterable[bytes]]]] = {
    "fasta": (fasta, _fastas),
    "dot-bracket": (dot_bracket, _structures),
    "npz": (npz, _archives),
    "arrays": (arrays, _noise),
    "config": (config, _noise),
    "sheets": (sheets, _sheets),
}


def main() -> None:
    name, *options = sys.argv[1:] or ["?"]
    if name not in TARGETS:
        sys.exit(f"name one of {', '.join(TARGETS)}, and options of libFuzzer after it")
    target, seeds = TARGETS[name]
    corpus = _FOLDER / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(seeds()):
        (corpus / f"seed{number}").write_bytes(seed)

    def once(data: bytes) -> None:
        try:
            target(data)
        except InputError as error:
            if not str(error):
                raise TypeError("an error without a message helps nobody") from error

    atheris.Setup([sys.argv[0], *options, str(corpus)], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
