"""Write what the docs repeat of the code: config/schema.json, tables of keys, docs/cli.md.

`make schema` writes all three; docs/cli.md is the help of the command. In config/README.md, a
comment ``<!-- keys: Runs -->`` marks the table of the keys of a section; ``<!-- keys: KFold,
Published -->`` above one of several kinds of a section.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mirpair.files import write_text
from mirpair.study.load import schema

CONFIG = Path(__file__).parent.parent / "config"
# Keys that say which kind of a section it is; the heading above the table has them.
KINDS = ("source", "task")

_OF_COMMANDS = "<!-- Written by `make schema` from the help of the commands. -->\n"


def default_of(name: str, section: dict[str, Any]) -> str:
    """What a key is if it is left out; a dash where only its description can say that."""
    if name in section.get("required", []):
        return "required"
    value = section["properties"][name].get("default")
    if value in (None, "", [], {}) or isinstance(value, dict):
        return "–"
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"


def _lists(value: dict[str, Any]) -> str:
    """Examples of a key that is a list, as YAML has them: ``"; a list, such as `[all]`"``."""
    examples = value.get("examples", []) if value.get("type") == "array" else []
    lists = [f"`[{', '.join(items)}]`" for items in examples]
    return f"; a list, such as {' or '.join(lists)}" if lists else ""


def key_table(names: Sequence[str], sections: dict[str, dict[str, Any]]) -> str:
    """Markdown table of the keys of a section; of several kinds with a column that names them."""
    kinds: dict[tuple[str, str, str], list[str]] = {}
    shared = sections["Study"]["properties"]
    for name in names:
        keys = sections[name]["properties"]
        for key, value in keys.items():
            # The keys of every study are in the table of the first task.
            repeated = name.endswith("Study") and name != "Study" and value == shared.get(key)
            if key in KINDS or repeated or (key == "split" and "const" in value):
                continue
            text = value["description"].removesuffix(".") + _lists(value)
            row = (key, text, default_of(key, sections[name]))
            kinds.setdefault(row, []).append(keys.get("split", {}).get("const", ""))
    order = list(dict.fromkeys(key for key, _, _ in kinds))
    several = len(names) > 1
    lines = [["key", *["split"] * several, "what it sets", "default"]]
    for (key, text, default), of in sorted(kinds.items(), key=lambda row: order.index(row[0][0])):
        which = "all" if len(of) == len(names) else ", ".join(f"`{it}`" for it in of)
        lines.append([f"`{key}`", *[which] * several, text, default])
    rows = [
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    ]
    return "\n".join([rows[0], "|" + "---|" * len(lines[0]), *rows[1:]])


def with_tables(readme: str) -> str:
    """The README with its tables of keys as the code has them."""
    sections = schema()["$defs"]

    def table(match: re.Match[str]) -> str:
        return f"{match[1]}\n{key_table(match[2].split(', '), sections)}\n"

    return re.sub(r"(<!-- keys: ([\w, ]+) -->\n)(?:\n(?:\|.*\n)+)?", table, readme)


def commands() -> str:
    """Return the page of all commands and options, as Typer writes it from their help."""
    arguments = ("-m", "typer", "mirpair.cli.app", "utils", "docs", "--name", "mirpair")
    page = subprocess.run(
        [sys.executable, *arguments], check=True, capture_output=True, text=True, cwd=CONFIG.parent
    ).stdout
    return page.replace("# `mirpair`\n", f"# The command mirpair\n\n{_OF_COMMANDS}", 1)


def main() -> None:
    """Write the files."""
    write_text(CONFIG.parent / "docs" / "cli.md", commands())
    write_text(CONFIG / "schema.json", json.dumps(schema(), indent=2) + "\n")
    readme = CONFIG / "README.md"
    write_text(readme, with_tables(readme.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
