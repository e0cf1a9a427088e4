"""Read and write files; a file has its final name only when it is complete."""

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

# Shipped files lie beside the package in a checkout, and inside it once installed.
_PACKAGE = Path(__file__).parent
SHIPPED = [folder / "weights" for folder in (_PACKAGE, _PACKAGE.parent)]
_CHECKSUM = "user.mirpair.sha256"
REMAKE = "delete it, and the next run makes it again"


class InputError(ValueError):
    """An error in the user's input; the message names the fault, the place and the remedy."""


_ADVICE = {
    errno.ENOSPC: "make room (`df` shows where), then run it again: nothing is lost",
    errno.EDQUOT: "make room (`quota` shows how much), then run it again: nothing is lost",
    errno.EROFS: "choose a writable folder, or mount this one as writable",
    errno.EACCES: "give yourself permission, then run it again",
}


def explain_error(error: OSError, path: str | Path = "") -> str | None:
    """Explain the error of a full, read-only or forbidden disk; None for any other error.

    `path` is named if the error itself names no file.
    """
    advice = _ADVICE.get(error.errno or 0)
    return advice and f"{error.filename or path}: {error.strerror}; {advice}"


def open_input(path: str | Path) -> IO[bytes]:
    """Open a file of the user; an `InputError` says what hinders it, alike for all commands."""
    try:
        return open(path, "rb")
    except IsADirectoryError as error:
        raise InputError(
            f"{path}: is a folder; give a file in it, or several: {Path(path) / '*.fa'}"
        ) from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:  # a NUL in the name
        raise InputError(f"{str(path)!r}: cannot be the name of a file") from error


@contextlib.contextmanager
def file_lock(path: str | Path, *, wait: bool = False) -> Iterator[None]:
    """Hold a lock file while the block runs, and delete it at the end.

    While another process holds it, wait for its end if `wait`; otherwise that is an `InputError`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("a") as handle:
            try:
                import fcntl

                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except ImportError:  # no such locks on Windows
                pass
            except BlockingIOError as error:
                raise InputError(
                    f"{path}: another process is already doing this; wait until it ends, or stop it"
                ) from error
            # The previous holder deleted the file, so others may already lock a new one.
            if not path.exists() or path.stat().st_ino != os.fstat(handle.fileno()).st_ino:
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


@contextlib.contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to `path` only if the block succeeds."""
    import tempfile

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # NumPy and matplotlib take the format from the suffix.
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
    """Add the name of the file to an error; that of a full disk has none."""
    if error.filename is None and error.errno is not None:
        error.filename = str(path)
    return error


def write_text(path: str | Path, text: str) -> None:
    """Write text as UTF-8 with Unix line ends, atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def shipped(name: str, remedy: str) -> Path:
    """Return the path of a file in ``weights/``, which are shipped with the package.

    If it is missing, that is an `InputError` that ends with `remedy`, what the user can do.
    """
    for folder in SHIPPED:
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"{SHIPPED[-1] / name}: no such file; {remedy}")


def sha256(path: str | Path) -> str:
    """Compute the SHA-256 of a file, in hexadecimal."""
    from hashlib import file_digest

    with open(path, "rb") as handle:
        return file_digest(handle, "sha256").hexdigest()


def write_tsv(frame: pd.DataFrame, path: str | Path, float_format: str | None = None) -> None:
    """Write a table as TSV, atomically; the same table gives the same bytes.

    Where the file system has extended attributes (ext4, XFS, NFS 4.2, Lustre, …), one of them
    stores the file's SHA-256, by which `read_tsv` detects any change.
    """
    with atomic(path) as temporary:
        frame.to_csv(
            temporary, sep="\t", index=False, lineterminator="\n", float_format=float_format
        )
        with contextlib.suppress(OSError, AttributeError):  # not on macOS, not on every disk
            os.setxattr(temporary, _CHECKSUM, sha256(temporary).encode())


def _check_integrity(path: str | Path, remedy: str) -> None:
    try:
        checksum = os.getxattr(path, _CHECKSUM).decode(errors="replace")
    except (OSError, AttributeError):
        return
    if sha256(path) != checksum:
        quoted = shlex.quote(str(path))
        raise InputError(
            f"{path}: damaged, or edited by hand: its checksum has changed; {remedy}. If you "
            f"edited it on purpose: cat {quoted} > copy && mv copy {quoted}"
        )


def read_tsv(path: str | Path, columns: dict[str, str], *, remedy: str = REMAKE) -> pd.DataFrame:
    """Read a TSV with known columns.

    Parameters
    ----------
    columns
        Column name to pandas dtype. All are required; other columns are not read.
    remedy
        What the user can do about a wrong table.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, has a value of another type, or was changed
        since `write_tsv` wrote it.
    """
    import pandas as pd

    _check_integrity(path, remedy)
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
        # The words of pandas are no help, and name missing columns in any order.
        with open(path, encoding="utf-8", errors="replace") as handle:
            header = handle.readline().rstrip("\n").split("\t")
        missing = [name for name in columns if name not in header]
        reason = f"it has no column {missing[0]!r}" if missing else "a row or a value is not valid"
        raise InputError(
            f"{path}: not the expected table: {reason}. It needs the columns {', '.join(columns)}; "
            f"{remedy}."
        ) from error


def read_any_tsv(path: str | Path) -> pd.DataFrame:
    """Read a TSV that `write_tsv` wrote, with all its columns; `InputError` if it was changed."""
    import pandas as pd

    _check_integrity(path, REMAKE)
    return pd.read_csv(path, sep="\t")


def write_npz(path: str | Path, **arrays: npt.NDArray[Any]) -> None:
    """Write a compressed NPZ without pickles, atomically; the same arrays give the same bytes."""
    import numpy as np

    if pickled := [name for name, array in arrays.items() if array.dtype.hasobject]:
        raise TypeError(f"arrays of objects would be pickled: {', '.join(pickled)}")
    with atomic(path) as temporary:
        np.savez_compressed(temporary, **arrays)  # type: ignore[arg-type]


def read_npz(path: str | Path, names: Iterable[str]) -> dict[str, npt.NDArray[Any]]:
    """Read the named arrays of an NPZ file.

    It is an `InputError` if it is not an NPZ, is damaged, holds pickled objects or lacks an array.
    """
    import numpy as np

    try:
        arrays = np.load(path, allow_pickle=False)
        if not isinstance(arrays, np.lib.npyio.NpzFile):
            raise ValueError("it is one array")
        with arrays:
            named = {name: arrays[name] for name in names}
        if others := [name for name, array in named.items() if not isinstance(array, np.ndarray)]:
            raise ValueError(f"{others[0]} is not an array")
        return named
    except FileNotFoundError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except Exception as error:  # zipfile, zlib and NumPy raise many kinds for a damaged file
        raise InputError(
            f"{path}: not the expected NPZ ({error or type(error).__name__}); {REMAKE}"
        ) from error


class Journal:
    """A file that grows by blocks of lines; complete blocks survive a kill.

    A block ends with a line that has its CRC-32, the file with a line that has the number of
    blocks. A damaged block and all after it are dropped.

    Parameters
    ----------
    path, overwrite
        The file; an existing one with the same key is continued, or overwritten.
    key
        Everything that the blocks depend on, in one line. A file with another key is overwritten.

    Attributes
    ----------
    blocks
        Number of blocks in the file.
    continued
        Whether there was a file with the same key, even without a complete block.
    """

    def __init__(self, path: str | Path, key: str, *, overwrite: bool = False) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        head = f"# {key}\n".encode()
        self.blocks = 0
        self.continued = False
        size = 0
        if self.path.is_file() and not overwrite:
            with self.path.open("rb") as handle:
                if handle.readline() == head:
                    self.continued = True
                    size = len(head)
                    for block, length in _complete_blocks(handle):
                        if block is not None:
                            size += length
                            self.blocks += 1
        if size:
            os.truncate(self.path, size)
        else:
            write_text(self.path, head.decode())

    def append(self, lines: Iterable[str]) -> None:
        """Append a block of lines without line ends; no line may begin with ``// ``."""
        block = "".join(f"{line}\n" for line in lines).encode()
        self._write(block + _end(zlib.crc32(block)))
        self.blocks += 1

    def close(self) -> None:
        """Mark the file as complete, which `read_blocks` requires."""
        self._write(_last(self.blocks))

    def _write(self, content: bytes) -> None:
        try:
            with self.path.open("ab") as handle:
                handle.write(content)
        except OSError as error:
            raise _named(error, self.path) from None

    def __iter__(self) -> Iterator[list[str]]:
        """Read the blocks so far, in the order in which they were appended."""
        with self.path.open("rb") as handle:
            handle.readline()
            yield from (block for block, _ in _complete_blocks(handle) if block is not None)


_END, _LAST = b"// ", b"//end "


def _end(crc: int) -> bytes:
    return _END + f"{crc:08x}\n".encode()


def _last(count: int) -> bytes:
    return _LAST + f"{count}\n".encode()


def _complete_blocks(handle: IO[bytes]) -> Iterator[tuple[list[str] | None, int]]:
    """Read blocks and their sizes in bytes, up to a damaged one; None stands for a correct end."""
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
            yield [text[:-1].decode() for text in lines], sum(map(len, lines)) + len(line)
            lines, crc = [], 0
            count += 1
        else:
            lines.append(line)
            crc = zlib.crc32(line, crc)


def has_blocks(path: str | Path) -> bool:
    """Tell whether there is a `Journal` with a complete block, after which its work resumes."""
    if not Path(path).is_file():
        return False
    with open(path, "rb") as handle:
        handle.readline()
        return any(block is not None for block, _ in _complete_blocks(handle))


def read_blocks(path: str | Path) -> Iterator[list[str]]:
    """Read the blocks of a closed `Journal`; `InputError` if it is damaged or was not closed."""
    with open(path, "rb") as handle:
        handle.readline()
        for block, _ in _complete_blocks(handle):
            if block is None:
                return
            yield block
    raise InputError(f"{path}: damaged; {REMAKE}")


def interleave(journals: Sequence[str | Path]) -> Iterator[list[str]]:
    """Read the blocks of several closed journals in turn: the first of each, the second, …"""
    for blocks in cycle([read_blocks(path) for path in journals]):
        if (block := next(blocks, None)) is None:
            return
        yield block
