"""Which settings does Sphinx build the documentation with?"""

from importlib.metadata import version as version_of

project = "Calward"
author = "the Calward authors"
project_copyright = "the Calward authors"
version = release = version_of("calward")

extensions = ["myst_parser"]
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"Calward {release}"
html_copy_source = False
html_show_sourcelink = False
