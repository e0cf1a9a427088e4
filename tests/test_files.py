"""Nothing half-written under a final name, and no pickles."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from mirpair.files import InputError, atomic, read_npz, read_tsv, write_npz


def test_the_final_name_is_taken_only_by_a_complete_file(tmp_path: Path) -> None:
    final = tmp_path / "out.txt"
    with atomic(final) as temporary:
        temporary.write_text("half")
        assert not final.exists()
        assert temporary.parent == tmp_path, "a rename must not cross file systems"
    assert final.read_text() == "half"


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    final = tmp_path / "out.txt"
    final.write_text("old")
    with pytest.raises(RuntimeError), atomic(final) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError
    assert final.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with atomic(tmp_path / "out") as temporary:
        temporary.write_text("x")
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_npz_is_compressed_and_never_holds_a_pickle(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_npz(path, zeros=np.zeros(10_000))
    assert path.stat().st_size < 1_000
    with zipfile.ZipFile(path) as archive:
        assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_DEFLATED}
    with pytest.raises(TypeError, match="things"):
        write_npz(path, things=np.array([None], dtype=object))
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(InputError, match="one array"):
        read_npz(tmp_path / "one.npy", ["zeros"])


def test_a_value_of_the_wrong_kind_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("id\tlabel\na\tmany\n")
    for name, message in (("t.tsv", "needs the columns id, label"), ("no.tsv", "cannot be read")):
        with pytest.raises(InputError, match=message) as caught:
            read_tsv(tmp_path / name, {"id": "str", "label": "int8"})
        assert name in str(caught.value)
