"""Reading and writing files so that nothing half-written ever stands under its final name."""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd


# In a checkout the shipped files stand beside the package, installed they are in it.
_PACKAGE = Path(__file__).parent
SHIPPED = [folder / "weights" for folder in (_PACKAGE, _PACKAGE.parent)]


_SEAL = "user.mirpair.sha256"


class InputError(ValueError):
    """Something the user gave is wrong; the message says what, where and what to do."""


_WAYS_OUT = {
    errno.ENOSPC: "make room (`df` tells where), then run it again: nothing is lost",
    errno.EDQUOT: "make room (`quota` tells how much), then run it again: nothing is lost",
    errno.EROFS: "name a folder that can be written, or mount this one so that it can",
    errno.EACCES: "give yourself the right to it, then run it again",
}


def way_out(error: OSError, place: str | Path = "") -> str | None:
    """What is wrong with a file or a disk and what to do about it; None if that is not known."""
    advice = _WAYS_OUT.get(error.errno or 0)
    return advice and f"{error.filename or place}: {error.strerror}; {advice}"


@contextlib.contextmanager
def alone(path: str | Path) -> Iterator[None]:
    """Hold a lock file while the block runs; an `InputError` if another process holds it."""
    path = Path(path)
    with path.open("a") as handle:
        try:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # no such locks on Windows
            pass
        except OSError as error:
            raise InputError(
                f"{path}: another process is at the same work; wait for its end, or stop it"
            ) from error
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def one_at_a_time(path: str | Path) -> Iterator[None]:
    """Hold a lock file while the block runs; wait for another process that holds it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("a") as handle:
            try:
                import fcntl

                fcntl.flock(handle, fcntl.LOCK_EX)
            except ImportError:  # no such locks on Windows
                pass
            # The one who held it took it away at the end: then this is no longer the lock of all.
            if not path.exists() or path.stat().st_ino != os.fstat(handle.fileno()).st_ino:
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


@contextlib.contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it takes the final name only if the block succeeds."""
    import tempfile

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays: NumPy and matplotlib read the format from it.
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp gives 0600; a colleague may want to read it
        temporary.replace(path)
    except OSError as error:
        raise _named(error, path) from None
    finally:
        temporary.unlink(missing_ok=True)


def _named(error: OSError, path: Path) -> OSError:
    """The error with the name of the file: that of a full disk has none."""
    if error.filename is None and error.errno is not None:
        error.filename = str(path)
    return error


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8 with Unix line ends, atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def shipped(name: str, remedy: str) -> Path:
    """A file that comes with the package; an `InputError` that ends in `remedy` if it did not."""
    for folder in SHIPPED:
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"{SHIPPED[-1] / name}: there is no such file; {remedy}")


def sha256(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    from hashlib import file_digest

    with open(path, "rb") as handle:
        return file_digest(handle, "sha256").hexdigest()


def write_tsv(frame: pd.DataFrame, path: str | Path, float_format: str | None = None) -> None:
    """Write a table as TSV, atomically: the same table gives the same bytes.

    Where the file system keeps extended attributes (ext4, XFS, NFS 4.2, Lustre, …) it gets its
    SHA-256 as one of them, by which `read_tsv` knows whether a bit of it has changed.
    """
    with atomic(path) as temporary:
        frame.to_csv(
            temporary, sep="\t", index=False, lineterminator="\n", float_format=float_format
        )
        with contextlib.suppress(OSError, AttributeError):  # not on macOS, not on every disk
            os.setxattr(temporary, _SEAL, sha256(temporary).encode())


def _check_seal(path: str | Path, remedy: str) -> None:
    try:
        sealed = os.getxattr(path, _SEAL).decode(errors="replace")
    except (OSError, AttributeError):
        return
    if sha256(path) != sealed:
        quoted = shlex.quote(str(path))
        raise InputError(
            f"{path}: damaged, or edited by hand: its bytes are not those that were written; "
            f"{remedy}. If you edited it and mean it: cat {quoted} > copy && mv copy {quoted}"
        )


def read_tsv(
    path: str | Path, columns: dict[str, str], *, remedy: str = "delete it to have it made again"
) -> pd.DataFrame:
    """Read a TSV with known columns.

    Parameters
    ----------
    path
        File to read.
    columns
        Column name to pandas dtype; all of them must be there, and no others are read.
    remedy
        What the user can do about a table that is not right.

    Raises
    ------
    InputError
        If it cannot be read, a column is missing, a value does not have its type, or its bytes
        are not those that `write_tsv` wrote.
    """
    import pandas as pd

    _check_seal(path, remedy)
    try:
        return pd.read_csv(
            path,
            sep="\t",
            usecols=list(columns),
            dtype=columns,
            keep_default_na=False,
            na_values={
                name: [""] for name, kind in columns.items() if kind.startswith(("float", "Int"))
            },
        )[list(columns)]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise InputError(
            f"{path}: not the table that was expected here ({error}). "
            f"It needs the columns {', '.join(columns)}; {remedy}."
        ) from error


def read_any_tsv(path: str | Path) -> pd.DataFrame:
    """Read a TSV of ours with whatever columns it has; an `InputError` if it is damaged."""
    import pandas as pd

    _check_seal(path, "delete it to have it made again")
    return pd.read_csv(path, sep="\t")


def write_npz(path: str | Path, **arrays: npt.NDArray[Any]) -> None:
    """Write a compressed NPZ, atomically, no pickled objects: same arrays, same bytes."""
    import numpy as np

    if pickled := [name for name, array in arrays.items() if array.dtype.hasobject]:
        raise TypeError(f"arrays of objects would be pickled: {', '.join(pickled)}")
    with atomic(path) as temporary:
        np.savez_compressed(temporary, **arrays)  # type: ignore[arg-type]


def read_npz(path: str | Path, names: Iterable[str]) -> dict[str, npt.NDArray[Any]]:
    """Read the named arrays of an NPZ that a stage of this project wrote.

    Raises
    ------
    InputError
        If it is not an NPZ, is damaged, holds pickled objects or misses an array.
    """
    import numpy as np

    try:
        arrays = np.load(path, allow_pickle=False)
        if not isinstance(arrays, np.lib.npyio.NpzFile):
            raise ValueError("it is one array")
        with arrays:
            found = {name: arrays[name] for name in names}
        if strange := [name for name, array in found.items() if not isinstance(array, np.ndarray)]:
            raise ValueError(f"{strange[0]} is no array")
        return found
    except FileNotFoundError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except Exception as error:  # what zipfile, zlib and NumPy raise of a damaged file is no list
        raise InputError(
            f"{path}: not the NPZ that was expected here ({error or type(error).__name__}); "
            "delete it to have it made again"
        ) from error


class Journal:
    """Blocks of lines in a file that grows: after a kill, all that were complete are still there.

    A block ends in a line with its CRC-32, all of them in one with their number. From a damaged
    block on, all is made anew.

    Parameters
    ----------
    path
        The file; one that is there already is gone on with, if it has the same key.
    key
        One line: all that the blocks depend on. A file with another key is begun anew.
    anew
        Whether any file that is there is begun anew.
    """

    def __init__(self, path: str | Path, key: str, *, anew: bool = False) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        head = f"# {key}\n".encode()
        self.blocks = 0
        whole = 0
        if self.path.is_file() and not anew:
            with self.path.open("rb") as handle:
                if handle.readline() == head:
                    whole = len(head)
                    for block, size in _whole_blocks(handle):
                        if block is not None:
                            self.blocks += 1
                            whole += size
        if whole:
            os.truncate(self.path, whole)
        else:
            write_text(self.path, head.decode())

    def append(self, lines: Iterable[str]) -> None:
        """Add a block; no line begins with ``//``, and none has a line end."""
        block = "".join(f"{line}\n" for line in lines).encode()
        self._write(block + _end(zlib.crc32(block)))
        self.blocks += 1

    def close(self) -> None:
        """Say that these are all blocks; only then `read_blocks` takes them."""
        self._write(_last(self.blocks))

    def _write(self, content: bytes) -> None:
        try:
            with self.path.open("ab") as handle:
                handle.write(content)
        except OSError as error:
            raise _named(error, self.path) from None

    def __iter__(self) -> Iterator[list[str]]:
        """The blocks so far, in the order in which they were added."""
        with self.path.open("rb") as handle:
            handle.readline()
            yield from (block for block, _ in _whole_blocks(handle) if block is not None)


_END, _LAST = b"// ", b"//end "


def _end(crc: int) -> bytes:
    return _END + f"{crc:08x}\n".encode()


def _last(count: int) -> bytes:
    return _LAST + f"{count}\n".encode()


def _whole_blocks(handle: IO[bytes]) -> Iterator[tuple[list[str] | None, int]]:
    """Every block with its size in bytes, up to a damaged one; None if the end is as it should."""
    lines: list[bytes] = []
    crc = count = 0
    for line in handle:
        if line.startswith(_LAST):
            if line == _last(count) and not lines:
                yield None, len(line)
            return
        if line.startswith(_END):
            if line != _end(crc):
                return
            yield [it[:-1].decode() for it in lines], sum(map(len, lines)) + len(line)
            lines, crc = [], 0
            count += 1
        else:
            lines.append(line)
            crc = zlib.crc32(line, crc)


def read_blocks(path: str | Path) -> Iterator[list[str]]:
    """Blocks of a closed `Journal`, one after the other; an `InputError` if it is damaged."""
    with open(path, "rb") as handle:
        handle.readline()
        for block, _ in _whole_blocks(handle):
            if block is None:
                return
            yield block
    raise InputError(f"{path}: damaged; delete it to have it made again")


def in_turn(journals: Sequence[str | Path]) -> Iterator[list[str]]:
    """Blocks of several journals that were filled in turn, the first block of each, and so on."""
    for blocks in cycle([read_blocks(path) for path in journals]):
        block = next(blocks, None)
        if block is None:
            return
        yield block
