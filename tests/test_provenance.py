"""The code version changes with the code, not with comments."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ROOT

from mirpair.provenance import CARRIERS, code_reached, code_version

CODE = {
    "leaf": 'def f(x):\n    """Doc."""\n    return x + 1\n',
    "middle": "from pack.leaf import f\n\n\ndef g(x):\n    return f(x)\n",
    "top": "def h():\n    from pack import middle\n\n    return middle.g(1)\n",
    "other": "y = 1\n",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "pack"
    folder.mkdir()
    for name, text in CODE.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "pages").mkdir()
    (folder / "pages" / "a.html").write_text("<p>")
    return folder


def test_comments_docstrings_and_blank_lines_do_not_count(package: Path) -> None:
    before = code_version("top", package=package)
    text = (
        '"""Module."""\n# comment\n\n\ndef f(x):\n    """Other words."""\n    return x + 1  # so\n'
    )
    (package / "leaf.py").write_text(text)
    assert code_version("top", package=package) == before


def test_code_counts_through_imports_also_inside_functions(package: Path) -> None:
    before = {name: code_version(name, package=package) for name in CODE}
    (package / "leaf.py").write_text(CODE["leaf"].replace("+ 1", "+ 2"))
    after = {name: code_version(name, package=package) for name in CODE}
    assert {name for name in CODE if before[name] != after[name]} == {"leaf", "middle", "top"}


@pytest.mark.parametrize(
    ("before", "after"),
    [("LIMIT = 3", "LIMIT = 4"), ("size = 1", "size = 2"), ("import other", "import leaf")],
)
def test_constants_classes_and_every_import_count(package: Path, before: str, after: str) -> None:
    text = (
        "from pack import leaf, middle\nimport pack.other\n\nLIMIT = 3\n\n\n"
        "class C:\n    size = 1\n"
    )
    (package / "rich.py").write_text(text)
    version = code_version("rich", package=package)
    (package / "other.py").write_text("y = 2\n")
    assert code_version("rich", package=package) != version
    version = code_version("rich", package=package)
    (package / "rich.py").write_text(text.replace(before, after).replace("pack.other", "pack.leaf"))
    assert code_version("rich", package=package) != version


def test_a_script_with_the_name_of_a_module_counts_with_that_module(package: Path) -> None:
    script = package.parent / "leaf.py"
    script.write_text("from pack.leaf import f\n\nf(1)\n")
    version = code_version(script, package=package)
    (package / "leaf.py").write_text(CODE["leaf"].replace("+ 1", "+ 2"))
    of_module = code_version(script, package=package)
    assert of_module != version
    script.write_text("from pack.leaf import f\n\nf(2)\n")
    assert code_version(script, package=package) not in (version, of_module)


def test_a_script_counts_with_its_imports_except_modules_that_only_carry_data(
    package: Path,
) -> None:
    script = package.parent / "do.py"
    script.write_text("from pack.top import h\nfrom pack.files import write\n\nwrite(h())\n")
    (package / "files.py").write_text("def write(x):\n    print(x)\n")
    version = code_version(script, package=package)
    (package / "files.py").write_text("def write(x):\n    print(x, 1)\n")
    script.write_text(script.read_text() + "# A remark.\n")
    assert code_version(script, package=package) == version
    (package / "leaf.py").write_text(CODE["leaf"].replace("+ 1", "+ 2"))
    changed = code_version(script, package=package)
    assert changed != version
    script.write_text(script.read_text().replace("h()", "h() + 1"))
    assert code_version(script, package=package) not in (version, changed)


def test_files_of_a_folder_count_byte_by_byte(package: Path) -> None:
    before = code_version("other", "pages", package=package)
    (package / "pages" / "a.html").write_text("<p><!-- comment -->")
    assert code_version("other", "pages", package=package) != before


def test_a_missing_module_is_refused(package: Path) -> None:
    with pytest.raises(FileNotFoundError):
        code_version("nowhere", package=package)


@pytest.mark.parametrize(
    "statement",
    [
        "from pack.deep.deeper.bottom import f",
        "from pack.deep.deeper import bottom",
        "import pack.deep.deeper.bottom",
        "def g():\n    from pack.deep.deeper import bottom as b",
        "from .deep.deeper import bottom",
    ],
)
def test_an_edit_two_packages_deep_counts_only_for_modules_that_import_it(
    package: Path, statement: str
) -> None:
    folder = package / "deep" / "deeper"
    folder.mkdir(parents=True)
    for path in (folder, folder.parent):
        (path / "__init__.py").write_text('"""What belongs here."""\n')
    (folder / "bottom.py").write_text("from ..beside import z\n")
    (folder.parent / "beside.py").write_text("z = 1\n")
    (folder / "neighbour.py").write_text("from pack.deep import beside\n")
    (package / "reaches.py").write_text(f"{statement}\n")

    def versions() -> list[str]:
        return [code_version(name, package=package) for name in ("reaches", "other")]

    first = versions()
    (folder / "neighbour.py").write_text("from pack.deep import beside\n\nw = 2\n")
    (folder / "__init__.py").write_text('"""Other words."""\n')
    assert versions() == first
    for path, text in (
        (folder / "bottom.py", "from ..beside import z\n\nf = 1\n"),
        (folder.parent / "beside.py", "z = 2\n"),
        # An import of a module runs those of the packages above it.
        (folder / "__init__.py", "LIMIT = 3\n"),
    ):
        before = versions()
        path.write_text(text)
        after = versions()
        assert (before[0] != after[0], before[1] == after[1]) == (True, True), path


@pytest.mark.parametrize(
    "statement",
    [
        "if x:\n    y = 1\nelse:\n    import pack.leaf",
        "for x in y:\n    z = 1\nelse:\n    import pack.leaf",
        "try:\n    y = 1\nexcept ValueError:\n    import pack.leaf",
        "try:\n    y = 1\nexcept ValueError:\n    pass\nelse:\n    import pack.leaf",
        "try:\n    y = 1\nfinally:\n    import pack.leaf",
        "match x:\n    case 1:\n        import pack.leaf",
        "with x:\n    while y:\n        import pack.leaf",
    ],
)
def test_an_import_counts_in_whatever_block_it_is(package: Path, statement: str) -> None:
    (package / "blocks.py").write_text(f"{statement}\n")
    assert "pack/leaf.py" in code_reached("blocks", package=package)


@pytest.mark.parametrize("statement", ["import pack.deep", "from pack import deep"])
def test_an_import_of_a_package_counts_its_own_init(package: Path, statement: str) -> None:
    (package / "deep").mkdir()
    (package / "deep" / "__init__.py").write_text("LIMIT = 3\n")
    (package / "reaches.py").write_text(f"{statement}\n")
    assert "pack/deep/__init__.py" in code_reached("reaches", package=package)


def test_only_modules_that_carry_data_are_left_out() -> None:
    assert {"files", "contracts", "provenance", "recipes"} == CARRIERS
    # A default that changes is another result.
    assert "mirpair/settings.py" in code_reached(ROOT / "scripts" / "scan_find.py")


def test_a_script_of_the_workflow_reaches_each_module_by_its_path() -> None:
    script = ROOT / "scripts" / "fold.py"
    files = set(code_reached(script))
    assert {"scripts/fold.py", "mirpair/rna/folding.py"} <= files
    assert all((ROOT / file).is_file() for file in files)


def test_training_does_not_depend_on_metrics_tables_or_the_report() -> None:
    """A better metric or table must not retrain anything."""
    for trained in (
        "identification/train",
        "networks/loop",
        "rna/encoding",
        "rna/folding",
        "identification/datasets",
    ):
        seen = code_reached(trained)
        for name in ("metrics", "audit", "baselines", "tables", "figures", "report"):
            assert f"mirpair/identification/{name}.py" not in seen, f"{trained} depends on {name}"
        for name in ("study/load", "cli/app"):
            assert f"mirpair/{name}.py" not in seen, f"{trained} depends on {name}"


def test_an_edit_of_one_papers_networks_does_not_retrain_those_of_the_other() -> None:
    do2018, tang2019 = "mirpair/networks/do2018.py", "mirpair/networks/tang2019.py"
    reached = code_reached(ROOT / "scripts" / "train.py")
    assert do2018 in reached
    assert tang2019 not in reached
    assert "mirpair/families/train.py" not in reached
    # The study of families trains two networks of Do et al. too.
    assert {do2018, tang2019} <= set(code_reached(ROOT / "scripts" / "families_train.py"))
