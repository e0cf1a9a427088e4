"""The frame of all pages: policy, style, sorting script, embedded figures, provenance."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("mirpair", "pages/templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure of a page: its heading, sentences that explain it, and its SVG file."""

    title: str
    caption: str
    path: Path
    # Anchor of its heading, if it has one.
    name: str = ""

    @property
    def svg(self) -> Markup:
        """The figure as a part of a page, see `inline_svg`."""
        return inline_svg(self.path)


@dataclass(frozen=True, slots=True)
class StudyInfo:
    """Facts about a study that its page shows, whatever its task."""

    # Heading of the page, and name of the study.
    title: str
    name: str
    # Contents of the runs' provenance.json.
    provenance: Sequence[Mapping[str, Any]]
    # Published file to its URL and SHA-256.
    sources: Mapping[str, tuple[str, str]]
    # The study's config as text.
    config: str


@cache
def _frame(script_name: str, asks: tuple[str, ...]) -> dict[str, Markup]:
    """Read the style and the script of a page, and make the policy that allows only them."""
    folder = resources.files("mirpair").joinpath("pages", "templates")
    style, script = (folder.joinpath(n).read_text("utf-8") for n in ("style.css", script_name))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    none = "'none'"
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"style-src 'unsafe-inline'; img-src {' '.join(('data:', *asks))}; "
        f"connect-src {' '.join(asks) or none}; script-src 'sha256-{digest}'"
    )
    return {"style": Markup(style), "script": Markup(script), "policy": Markup(policy)}


def render(
    template: str, *, script: str = "sort.js", asks: tuple[str, ...] = (), **parts: Any
) -> str:
    """Fill in a template of ``pages/templates`` and return the page as HTML.

    Parameters
    ----------
    template, script
        Their names; the page runs no other script.
    asks
        Sources that the page may ask for data and pictures, as in a Content Security Policy.
    **parts
        What the template needs.
    """
    frame = _frame(script, asks)
    return _TEMPLATES.get_template(f"{template}.html.j2").render(**frame, **parts)


def render_study(
    template: str,
    study: StudyInfo,
    answer: tuple[str, list[str]],
    *,
    versioned: Sequence[Mapping[str, Any]] = (),
    **parts: Any,
) -> str:
    """Fill in the template of a study's report, which extends ``study.html.j2``.

    Parameters
    ----------
    template, study
        Name of the template, and what all reports tell.
    answer
        Headline, and the sentences that support it.
    versioned
        Other results whose versions the page lists.
    **parts
        What else the template needs: ``sections`` (see `mirpair.pages.printing.section_parts`),
        ``pictures`` (`Picture`) and ``meaning`` (origin of a row to its explanation); and if there
        are any, ``key_at`` (name of the section that shows `meaning`), ``taken`` (number of
        trainings that are saved results) and ``collections`` (rows of their table).
    """
    headline, sentences = answer
    return render(
        template,
        title=study.title,
        study=study,
        headline=headline,
        sentences=sentences,
        runs=[_run_row(entry) for entry in study.provenance],
        versions=_versions([*study.provenance, *versioned]),
        minutes=sum(entry["wall_time_s"] for entry in study.provenance) / 60,
        files=[(name, checksum, url) for name, (url, checksum) in study.sources.items()],
        **{"key_at": "", "taken": 0, "collections": (), **parts},
    )


def _versions(entries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """List the versions of each package; all of them if the entries differ."""
    versions: dict[str, dict[str, None]] = {}
    for entry in entries:
        for package, version in entry["versions"].items():
            versions.setdefault(package, {})[version] = None
    return {package: " and ".join(different) for package, different in versions.items()}


def _run_row(entry: Mapping[str, Any]) -> list[object]:
    """Make a row of a page's list of trainings from a provenance.json."""
    run = entry["run"]
    name = f"{run['experiment']}/{run['model']}/{run['recipe']}/seed{run['seed']}"
    return [name, run["epochs"], f"{entry['wall_time_s']:.0f}", entry["device"], entry["threads"]]


def inline_svg(path: str | Path) -> Markup:
    """Read one of our SVG files as a part of a page, see `embed_svg`."""
    path = Path(path)
    return embed_svg(path.read_text(encoding="utf-8"), f"{path.parent.name}-{path.stem}")


def embed_svg(svg: str, name: str) -> Markup:
    """Make an SVG a part of a page: without its XML head, with `name` before all of its ids.

    Two figures of matplotlib in one page would otherwise share the ids of their clip paths.
    """
    prefix = re.sub(r"\W", "-", name)

    def renamed(tag: re.Match[str]) -> str:
        with_id = re.sub(r'\bid="', f'id="{prefix}-', tag[0])
        return re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", with_id)

    # Markup, because matplotlib escapes the text in its figures.
    return Markup(re.sub(r"<[^>]+>", renamed, svg[svg.index("<svg") :]))


def data_uri(kind: str, text: str) -> str:
    """Return a link that holds a file of this MIME type."""
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"
