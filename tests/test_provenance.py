"""A change of what the code does is a new version; a comment is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from mirpair.provenance import code_version

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


def test_a_comment_a_docstring_or_a_blank_line_changes_nothing(package: Path) -> None:
    before = code_version("top", package=package)
    text = (
        '"""Module."""\n# comment\n\n\ndef f(x):\n    """Other words."""\n    return x + 1  # so\n'
    )
    (package / "leaf.py").write_text(text)
    assert code_version("top", package=package) == before


def test_code_counts_through_every_import_also_inside_functions(package: Path) -> None:
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


def test_a_script_counts_with_all_that_it_runs_but_not_what_only_carries(package: Path) -> None:
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


def test_a_module_that_is_not_there_is_an_error(package: Path) -> None:
    with pytest.raises(FileNotFoundError):
        code_version("nowhere", package=package)


def test_training_does_not_depend_on_metrics_tables_or_the_report() -> None:
    """Requirement of the whole design: a better metric or table must not retrain anything."""
    from mirpair import provenance

    package = provenance.PACKAGE
    for module in ("metrics", "audit", "baselines", "tables", "figures", "report", "config", "cli"):
        for trained in ("training", "encoding", "folding", "datasets"):
            seen = reachable(trained, package)
            assert module not in seen, f"{trained} depends on {module}"


def reachable(name: str, package: Path) -> set[str]:
    from mirpair.provenance import _contents

    seen: set[str] = set()
    waiting = [name]
    while waiting:
        module = waiting.pop()
        path = package / f"{module}.py"
        if module in seen or not path.is_file():
            continue
        seen.add(module)
        waiting += _contents(path.read_text(), package.name)[1]
    return seen
