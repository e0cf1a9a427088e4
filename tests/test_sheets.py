"""Tables that users write: as a spreadsheet saves them, and as it should not."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpair.contracts import read_published_counts, read_published_results
from mirpair.files import InputError
from mirpair.sheets import read_sheet

COLUMNS = ("sample", "run", "fasta")
GOOD = "sample\trun\tfasta\nx\tpredict\tfew.fa\n"
SAVE = "save it as text separated by tabs, in UTF-8 (a TSV file)"


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "sheet.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        GOOD.encode(),
        # As Excel saves it: a byte order mark and Windows line ends; or old ones of a Mac.
        b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("\n", "\r").encode(),
        # Spaces, empty columns and empty lines that nobody sees.
        b"sample \trun\t fasta\t\t\n\n x\tpredict\tfew.fa \t\t\n\t\t\t\n   \n",
        b'"sample"\t"run"\t"fasta"\n"x"\t"predict"\t"few.fa"',
    ],
)
def test_a_table_is_read_as_editors_and_spreadsheets_save_it(
    tmp_path: Path, content: bytes
) -> None:
    sheet = read_sheet(write(tmp_path, content), COLUMNS)
    assert sheet.columns == list(COLUMNS)
    assert [row for _, row in sheet.rows] == [{"sample": "x", "run": "predict", "fasta": "few.fa"}]


def test_rows_have_the_numbers_of_their_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "\nfasta\tnote\tsample\trun\n\na.fa\t\ta\tscan\n\n\nb.fa\t#\tb\tscan\n")
    assert [(line, row["sample"]) for line, row in read_sheet(path, COLUMNS).rows] == [
        (4, "a"),
        (7, "b"),
    ]


def excel() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return packed.getvalue()


NEEDS = "It needs the columns sample, run, fasta; correct it."
SEPARATED = "the columns of a table are separated by tabs"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "sample,run,fasta\nx,predict,few.fa\n",
            "line 1: has no tab, but commas; " + SEPARATED + ": " + SAVE,
        ),
        (
            "sample;run;fasta\nx;predict;few.fa\n",
            f"line 1: has no tab, but semicolons; {SEPARATED}",
        ),
        ("sample run  fasta\nx predict few.fa\n", f"line 1: has no tab, but spaces; {SEPARATED}"),
        ("sample|run|fasta\n", f"line 1: has no tab, but bars; {SEPARATED}"),
        ("x\n", f"line 1: there is no column 'sample'. {NEEDS}"),
        ("sample\trun\tfata\n", f"line 1: there is no column 'fasta' (is it 'fata'?). {NEEDS}"),
        ("Sample\tRun\tFASTA\n", f"line 1: there is no column 'sample' (is it 'Sample'?). {NEEDS}"),
        ("#sample\trun\tfasta\n", "there is no column 'sample' (is it '#sample'?)"),
        ("run\tsample\tx\n", "there is no column 'fasta'. It needs"),
        ("sample\trun\tfasta\trun\n", "line 1: the column 'run' is there twice"),
        ("", f"the file is empty. {NEEDS}"),
        ("\n \n", f"the file is empty. {NEEDS}"),
        (GOOD + "y\tscan\n", "line 3: has 2 fields, but the first line has 3 columns; is a"),
        (GOOD + "y\n", "line 3: has 1 field, but"),
        (GOOD + "y\tscan\tz.fa\tq\n", "line 3: has 4 fields, but the first line has 3 columns"),
        (GOOD + 'y\tscan\t"z.fa\na\tscan\tb.fa\n', "is a quotation mark not closed?"),
        (excel(), f"is an Excel or another zip file; {SAVE}"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", f"is an Excel file; {SAVE}"),
        (GOOD.encode("utf-16"), f"cannot be read: it is UTF-16 text; {SAVE}"),
        (
            "sample\trun\tfasta\nx\tscan\tGröße.fa\n".encode("latin-1"),
            f"it is not UTF-8 text; {SAVE}",
        ),
        (b"\x1f\x8b\x08", "is packed by gzip"),
    ],
)
def test_what_is_no_such_table_is_said_in_plain_words(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(InputError) as caught:
        read_sheet(path, COLUMNS)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_a_table_that_is_not_there_or_a_folder_is_said(tmp_path: Path) -> None:
    for path, message in ((tmp_path / "no.tsv", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(InputError, match=f"cannot be read .{message}"):
            read_sheet(path, COLUMNS)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_table_or_said_to_be_none(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.tsv"
    for start in (b"", b"sample\trun\tfasta\n"):
        path.write_bytes(start + content)
        try:
            sheet = read_sheet(path, COLUMNS)
        except InputError:
            continue
        assert all(list(row) == sheet.columns for _, row in sheet.rows)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("human\tmany\t5", "line 2: column 'positives': is 'many', must be a whole number"),
        ("human\t\t5", "line 2: column 'positives': is '', must be a whole number"),
        ("human\t3.0\t5", "line 2: column 'positives': is '3.0', must be a whole number"),
        ("human\t1,000\t5", "is '1,000', must be a whole number"),
    ],
)
def test_a_wrong_count_is_said_with_line_and_column(tmp_path: Path, row: str, message: str) -> None:
    path = write(tmp_path, f"dataset\tpositives\tnegatives\n{row}\n")
    with pytest.raises(InputError) as caught:
        read_published_counts(path)
    assert message in str(caught.value)


def test_a_published_number_may_be_missing_but_not_be_text(tmp_path: Path) -> None:
    header = "method\tprotocol\tSE\tSP\tPPV\tF-score\tg-mean\tAUROC\tAUPR\n"
    path = write(tmp_path, header + "A\tCV\t0.9\t\t1\t0\t1e-1\t.5\t\n")
    (row,) = read_published_results(path).to_dict("records")
    assert (row["SE"], row["PPV"], row["g-mean"], row["AUROC"]) == (0.9, 1.0, 0.1, 0.5)
    assert np.isnan(row["SP"])
    assert row["note"] == ""
    for value, hint in (("0,9", ", with a point in place of the comma"), ("inf", ""), ("-", "")):
        write(tmp_path, header + f"A\tCV\t{value}\t\t\t\t\t\t\n")
        with pytest.raises(InputError) as caught:
            read_published_results(path)
        assert str(caught.value).endswith(f"column 'SE': is {value!r}, must be a number{hint}")
