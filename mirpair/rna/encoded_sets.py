"""Sets of encoded RNAs, in memory and on disk: flat arrays, one RNA after the other."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any, Self, TypeVar
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import numpy.typing as npt
import pandas as pd

from mirpair.contracts import ALPHABET
from mirpair.files import REMAKE, InputError, atomic, read_npz, write_npz
from mirpair.rna.encoding import CHANNELS, UNPAIRED, Ensemble, Molecule, dense, encode

_Encoded = TypeVar("_Encoded", Molecule, Ensemble)


def _end_to_end(arrays: Sequence[npt.NDArray[Any]], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Concatenate any number of arrays, even none."""
    return np.concatenate([np.zeros(0, dtype=dtype), *arrays])


def _bad_offsets(offsets: npt.NDArray[np.int64], count: int, total: int, *, least: int) -> bool:
    """Tell whether offsets do not divide `total` items into `count` parts of `least` or more."""
    return bool(
        len(offsets) != count + 1
        or offsets[0] != 0
        or offsets[-1] != total
        # Before the differences, which could overflow for values out of range.
        or ((offsets < 0) | (offsets > total)).any()
        or (np.diff(offsets) < least).any()
    )


class _Set(Sequence[_Encoded]):
    """What both kinds of sets share."""

    __slots__ = ()

    ids: npt.NDArray[np.str_]
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Length of each molecule, (N,)."""
        return np.diff(self.offsets)

    @abstractmethod
    def subset(self, indices: npt.NDArray[np.int64]) -> Self:
        """Select RNAs by their indices, in this order."""

    def indices(self, ids: Sequence[str]) -> npt.NDArray[np.int64]:
        """Find the index of each id; an unknown id is an `InputError`."""
        index_of = {name: index for index, name in enumerate(self.ids.tolist())}
        unknown = [name for name in ids if name not in index_of]
        if unknown:
            raise InputError(f"{len(unknown)} ids are not in the tensors, {unknown[0]!r} first")
        return np.array([index_of[name] for name in ids], dtype=np.int64)

    def save(self, path: str | Path) -> None:
        """Write NPZ, atomically and without pickled objects; same arrays, same bytes."""
        write_npz(path, **{name: getattr(self, name) for name in self._names()})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote; anything else is an `InputError`."""
        loaded = cls(**read_npz(path, cls._names()))
        if (fault := loaded._wrong_type() or loaded._fault()) is not None:
            raise InputError(f"{path}: damaged, or not written by mirpair ({fault}); {REMAKE}")
        return loaded

    def _wrong_type(self) -> str | None:
        """Describe an array that is not flat, or not of the type that its field declares."""
        for field in fields(self):  # type: ignore[arg-type]
            array = getattr(self, field.name)
            kind = f"npt.NDArray[np.{array.dtype.type.__name__}]"
            if array.ndim != 1 or kind != field.type:
                return f"{field.name} is {array.dtype} of shape {array.shape}"
        return None

    @abstractmethod
    def _fault(self) -> str | None:
        """Describe the first fault in the values, if any; the types are right."""

    @classmethod
    def _names(cls) -> list[str]:
        return [field.name for field in fields(cls)]  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Tensors(_Set[Molecule]):
    """All molecules of a set in six flat arrays, those of `tensors.npz`.

    Attributes
    ----------
    ids, labels, mfe
        (N,); label 1 is a pre-miRNA, energies are in kcal/mol.
    offsets
        (N + 1,): molecule n is ``codes[offsets[n]:offsets[n + 1]]``.
    codes, partner
        (total length,), see `Molecule`.
    """

    ids: npt.NDArray[np.str_]
    labels: npt.NDArray[np.int8]
    mfe: npt.NDArray[np.float64]
    offsets: npt.NDArray[np.int64]
    codes: npt.NDArray[np.uint8]
    partner: npt.NDArray[np.int32]

    def _fault(self) -> str | None:
        if len(self.labels) != len(self) or len(self.mfe) != len(self):
            return "labels, energies and ids differ in number"
        if _bad_offsets(self.offsets, len(self), len(self.codes), least=1):
            return "offsets do not fit the bases"
        if len(self.codes) and self.codes.max() >= len(ALPHABET):
            return "codes are not of A, C, G, U"
        if not np.isin(self.labels, (0, 1)).all() or not np.isfinite(self.mfe).all():
            return "labels other than 0 and 1, or energies that are not finite"
        if len(self.partner) != len(self.codes):
            return "partners and bases differ in number"
        paired = np.flatnonzero(self.partner >= 0)
        starts = np.repeat(self.offsets[:-1], self.lengths)[paired]
        ends = np.repeat(self.offsets[1:], self.lengths)[paired]
        partners = starts + self.partner[paired]
        if (self.partner < UNPAIRED).any() or (partners >= ends).any():
            return "a base pairs outside its RNA"
        if (starts + self.partner[partners] != paired).any() or (partners == paired).any():
            return "the partner of a base has another partner"
        return None

    def __getitem__(self, index: int) -> Molecule:  # type: ignore[override]
        part = slice(self.offsets[index], self.offsets[index + 1])
        return Molecule(self.codes[part], self.partner[part], float(self.mfe[index]))

    @classmethod
    def build(
        cls, ids: Sequence[str], labels: Sequence[int], molecules: Iterable[Molecule]
    ) -> Tensors:
        """Build a set from molecules."""
        molecules = list(molecules)
        return cls(
            ids=np.asarray(ids, dtype=np.str_),
            labels=np.asarray(labels, dtype=np.int8),
            mfe=np.array([molecule.mfe for molecule in molecules], dtype=np.float64),
            offsets=np.cumsum([0, *(len(m.codes) for m in molecules)], dtype=np.int64),
            codes=_end_to_end([molecule.codes for molecule in molecules], np.uint8),
            partner=_end_to_end([molecule.partner for molecule in molecules], np.int32),
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Tensors]) -> Tensors:
        """Join several sets, one after the other."""
        return cls.build(
            [name for part in parts for name in part.ids.tolist()],
            [label for part in parts for label in part.labels.tolist()],
            [molecule for part in parts for molecule in part],
        )

    def subset(self, indices: npt.NDArray[np.int64]) -> Tensors:
        return Tensors.build(
            self.ids[indices].tolist(),
            self.labels[indices].tolist(),
            [self[index] for index in indices],
        )


@dataclass(frozen=True, slots=True)
class Ensembles(_Set[Ensemble]):
    """All RNAs of a set with the base pairs of their ensembles, in seven flat arrays.

    Attributes
    ----------
    ids
        (N,).
    offsets, codes
        (N + 1,) and (total length,): RNA n is ``codes[offsets[n]:offsets[n + 1]]``.
    pair_offsets
        (N + 1,): RNA n has the base pairs ``pair_offsets[n]:pair_offsets[n + 1]``.
    i, j, probability
        (total pairs,), see `Ensemble`.
    """

    ids: npt.NDArray[np.str_]
    offsets: npt.NDArray[np.int64]
    codes: npt.NDArray[np.uint8]
    pair_offsets: npt.NDArray[np.int64]
    i: npt.NDArray[np.int32]
    j: npt.NDArray[np.int32]
    probability: npt.NDArray[np.float32]

    def _fault(self) -> str | None:
        if _bad_offsets(self.offsets, len(self), len(self.codes), least=1):
            return "offsets do not fit the bases"
        if _bad_offsets(self.pair_offsets, len(self), len(self.i), least=0):
            return "pair_offsets do not fit the pairs"
        if len(self.codes) and self.codes.max() >= len(ALPHABET):
            return "codes are not of A, C, G, U"
        if len(self.j) != len(self.i) or len(self.probability) != len(self.i):
            return "positions and probabilities of pairs differ in number"
        ends = np.repeat(self.lengths, np.diff(self.pair_offsets))
        if (self.i < 0).any() or (self.i >= self.j).any() or (self.j >= ends).any():
            return "a pair is outside its RNA"
        if not ((self.probability >= 0) & (self.probability <= 1.001)).all():
            return "probabilities outside 0 to 1"
        return None

    def __getitem__(self, index: int) -> Ensemble:  # type: ignore[override]
        part = slice(self.offsets[index], self.offsets[index + 1])
        pairs = slice(self.pair_offsets[index], self.pair_offsets[index + 1])
        return Ensemble(self.codes[part], self.i[pairs], self.j[pairs], self.probability[pairs])

    @classmethod
    def build(cls, ids: Sequence[str], ensembles: Iterable[Ensemble]) -> Ensembles:
        """Build a set from RNAs."""
        ensembles = list(ensembles)
        return cls(
            ids=np.asarray(ids, dtype=np.str_),
            offsets=np.cumsum([0, *(len(e.codes) for e in ensembles)], dtype=np.int64),
            codes=_end_to_end([e.codes for e in ensembles], np.uint8),
            pair_offsets=np.cumsum([0, *(len(e.i) for e in ensembles)], dtype=np.int64),
            i=_end_to_end([e.i for e in ensembles], np.int32),
            j=_end_to_end([e.j for e in ensembles], np.int32),
            probability=_end_to_end([e.probability for e in ensembles], np.float32),
        )

    def subset(self, indices: npt.NDArray[np.int64]) -> Ensembles:
        return Ensembles.build(self.ids[indices].tolist(), [self[index] for index in indices])


def encode_set(records: pd.DataFrame, structures: pd.DataFrame) -> Tensors:
    """Encode a set from its records and structures; an error names the record."""
    if list(records["id"]) != list(structures["id"]):
        raise InputError("records and structures must have the same RNAs in the same order")
    molecules = []
    for name, sequence, structure, mfe in zip(
        records["id"], records["sequence"], structures["structure"], structures["mfe"], strict=True
    ):
        try:
            molecules.append(encode(sequence, structure, mfe))
        except InputError as error:
            raise InputError(f"record {name!r}: {error}") from error
    return Tensors.build(records["id"].tolist(), records["label"].tolist(), molecules)


def export_dense(
    path: str | Path,
    ids: Sequence[str],
    lengths: Sequence[int],
    molecules: Iterable[Molecule],
    *,
    labels: Sequence[int] | None = None,
    size: int | None = None,
    pairing: bool = True,
    dtype: npt.DTypeLike = np.float32,
) -> None:
    """Write pairing matrices for other frameworks to an NPZ, atomically; same input, same bytes.

    Only one dense matrix is in memory at a time.

    Parameters
    ----------
    path
        Path of the NPZ. It holds ``ids``, ``lengths`` (nt), ``mfe`` (kcal/mol), ``labels`` (if
        given), and either ``matrix_0000``, …, L × L × 9 for each molecule, or ``matrices``.
    ids, lengths, labels
        Of the molecules. One longer than `size` is an `InputError`, before the first is encoded.
    molecules
        In the order of `ids`; a generator is consumed while writing.
    size
        If given, write one array ``matrices``, (N, size, size, 9), padded with zeros.
    pairing, dtype
        See `dense`; without channel 0 there are 8 channels.
    """
    for name, length in zip(ids, lengths, strict=True):
        if size is not None and length > size:
            raise InputError(
                f"{name!r} has {length} nt and does not fit into {size} × {size}: "
                f"leave it out, or choose a size of {max(lengths)} or more"
            )
    channels = CHANNELS if pairing else CHANNELS - 1
    kind = np.dtype(dtype)
    digits = max(4, len(str(len(ids) - 1)))
    mfe = []
    with (
        atomic(path) as temporary,
        # Members have no time stamp, as in NumPy's own archives.
        ZipFile(temporary, "w", compression=ZIP_DEFLATED) as archive,
    ):
        _write_array(archive, "ids", np.asarray(ids, dtype=np.str_))
        _write_array(archive, "lengths", np.asarray(lengths, dtype=np.int64))
        if labels is not None:
            _write_array(archive, "labels", np.asarray(labels, dtype=np.int8))
        matched = zip(lengths, molecules, strict=True)
        if size is None:
            for number, (_, molecule) in enumerate(matched):
                matrix = dense(molecule, pairing=pairing, dtype=kind)
                _write_array(archive, f"matrix_{number:0{digits}}", matrix)
                mfe.append(molecule.mfe)
        else:
            with archive.open("matrices.npy", "w", force_zip64=True) as handle:
                _write_header(handle, (len(ids), size, size, channels), kind)
                blank = bytes(size * channels * kind.itemsize)
                for length, molecule in matched:
                    rows = np.zeros((length, size, channels), kind)
                    rows[:, :length] = dense(molecule, pairing=pairing, dtype=kind)
                    handle.write(rows.data)
                    for _ in range(size - length):
                        handle.write(blank)
                    mfe.append(molecule.mfe)
        _write_array(archive, "mfe", np.array(mfe, dtype=np.float64))


def _write_header(handle: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(handle, header)


def _write_array(archive: ZipFile, name: str, array: npt.NDArray[Any]) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as handle:
        _write_header(handle, array.shape, array.dtype)
        handle.write(np.ascontiguousarray(array).tobytes())
