"""How Sphinx makes the site from the pages of this repository: `make site`."""

from mirpair import __version__

project = "mirpair"
author = "The mirpair developers"
release = version = __version__
# The pages stay where GitHub shows them, so that links between them work in both places.
root_doc = "docs/index"
include_patterns = [
    "*.md",
    "config/README.md",
    "results/README.md",
    "weights/*.md",
    "docs/*.md",
    "docs/**/*.md",
]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
autodoc_typehints = "none"
autodoc_member_order = "bysource"
# Tables and cards are reached from the pages that explain them.
suppress_warnings = ["toc.not_included"]
html_theme = "furo"
html_title = f"mirpair {release}"
html_show_sphinx = False
html_copy_source = False
html_show_copyright = False
