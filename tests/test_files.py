"""Files: complete under their final name, resumed journals, and no pickles."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from mirpair.files import (
    InputError,
    Journal,
    atomic,
    file_lock,
    interleave,
    read_blocks,
    read_npz,
    read_tsv,
    write_npz,
)


def test_only_a_complete_file_gets_the_final_name(tmp_path: Path) -> None:
    final = tmp_path / "out.txt"
    with atomic(final) as temporary:
        temporary.write_text("half")
        assert not final.exists()
        assert temporary.parent == tmp_path, "a rename must not cross file systems"
    assert final.read_text() == "half"


def test_a_failure_keeps_the_old_file_and_leaves_no_other(tmp_path: Path) -> None:
    final = tmp_path / "out.txt"
    final.write_text("old")
    with pytest.raises(RuntimeError), atomic(final) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError
    assert final.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with atomic(tmp_path / "out") as temporary:
        temporary.write_text("x")
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_lock_is_refused_while_another_holds_it_and_gone_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "deep" / ".lock"
    with file_lock(path), pytest.raises(InputError, match="another process"), file_lock(path):
        pass
    assert not path.exists()
    with file_lock(path):
        pass


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


def test_a_value_of_the_wrong_type_is_refused_naming_the_file(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("id\tlabel\na\tmany\n")
    (tmp_path / "u.tsv").write_text("ID\tLabel\na\t1\n")
    for name, message in (
        ("t.tsv", r"a row or a value is not valid. It needs the columns id, label; delete it"),
        # The words of pandas name missing columns in another order in every run.
        (
            "u.tsv",
            r"u\.tsv: not the expected table: it has no column 'id'. It needs the columns id,",
        ),
        ("no.tsv", "cannot be read"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            read_tsv(tmp_path / name, {"id": "str", "label": "int8"})
        assert name in str(caught.value)
        assert "Usecols" not in str(caught.value)


def journal(path: Path, *blocks: list[str], key: str = "key") -> Journal:
    made = Journal(path, key)
    for block in blocks:
        made.append(block)
    return made


def test_blocks_of_a_journal_are_read_in_order(tmp_path: Path) -> None:
    """Empty blocks and empty lines too; a line may begin similarly to a block's end."""
    blocks = [["b", "a"], [], ["", "//x", " //"], ["ü\tx"]]
    made = journal(tmp_path / "deep" / "j", *blocks)
    assert list(made) == blocks
    made.close()
    assert list(made) == list(read_blocks(made.path)) == blocks
    assert made.blocks == 4


def test_a_journal_resumes_where_it_ended(tmp_path: Path) -> None:
    journal(tmp_path / "j", ["a"], ["b"])
    again = journal(tmp_path / "j", ["c"])
    assert again.blocks == 3
    assert list(again) == [["a"], ["b"], ["c"]]


def test_complete_blocks_survive_a_cut_anywhere(tmp_path: Path) -> None:
    """Also within a two-byte character, as on a full disk."""
    blocks = [["a", "é"], ["b"], ["cü", "d"]]
    path = tmp_path / "j"
    sizes = [len(Journal(path, "kéy").path.read_bytes())]
    for block in blocks:
        journal(path, block, key="kéy")
        sizes.append(path.stat().st_size)
    content = path.read_bytes()
    for size in range(len(content) + 1):
        path.write_bytes(content[:size])
        left = sum(size >= end for end in sizes[1:])
        again = Journal(path, "kéy")
        assert again.continued == (size >= sizes[0])
        assert again.blocks == left
        assert path.read_bytes() == content[: sizes[left]]
        again.append(["new"])
        assert list(again) == [*blocks[:left], ["new"]]


def test_a_journal_with_another_key_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "j"
    for key in ("other", "keys", "ke"):
        journal(path, ["a"])
        again = journal(path, ["b"], key=key)
        assert (again.blocks, list(again)) == (1, [["b"]])
        assert not again.continued
        path.unlink()
    journal(path, ["a"])
    emptied = Journal(path, "key", overwrite=True)
    assert (emptied.blocks, list(emptied)) == (0, [])


def test_only_a_closed_journal_is_complete(tmp_path: Path) -> None:
    """Cut at the end of a block, it would silently miss the others."""
    path = tmp_path / "j"
    made = journal(path, ["a"], ["b"])
    with pytest.raises(InputError, match="damaged"):
        list(read_blocks(path))
    made.close()
    content = path.read_bytes()
    for size in range(len(content)):
        path.write_bytes(content[:size])
        with pytest.raises(InputError, match="damaged"):
            list(interleave([path]))
    path.write_bytes(content)
    again = journal(path, ["c"])
    again.close()
    assert list(read_blocks(path)) == [["a"], ["b"], ["c"]]


def test_journals_filled_in_turn_are_read_in_turn(tmp_path: Path) -> None:
    for count in (1, 2, 3):
        for total in range(8):
            blocks = [[str(number)] for number in range(total)]
            folder = tmp_path / f"{count}-{total}"
            for number in range(count):
                journal(folder / str(number), *blocks[number::count]).close()
            paths = [folder / str(number) for number in range(count)]
            assert list(interleave(paths)) == blocks
    assert list(interleave([])) == []
