"""Links from a sentence to the line of code that does what it says.

    [Divide by the square root](../code/attention/by_hand/attention.py "1 / np.sqrt")

In JupyterLab and on GitHub such a link leads to the file, and its title says what to look for.
On the site it leads to the line itself: the only one in the file that has the title's text.
The line is found when the site is built; if there is none, or more than one, that is a warning,
and a build with a warning fails. Without a title the link leads to the page of the file.
"""

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from .modules import Module, Target
from .places import source_address
from .source_pages import modules_of

LOGGER = logging.getLogger(__name__)


def setup(app: Sphinx) -> None:
    app.add_transform(LinkLines)


class LinkLines(SphinxTransform):
    """Make links to lines of what would be downloads of files of code."""

    default_priority = 500  # before Sphinx collects the files to be downloaded

    def apply(self, **kwargs: object) -> None:
        """Go through the page's links to files."""
        modules = modules_of(self.env)
        for download in list(self.document.findall(addnodes.download_reference)):
            path, _ = self.env.relfn2path(download["reftarget"], self.env.docname)
            if modules and path in modules.by_path:
                self.link(download, modules.by_path[path])

    def link(self, download: nodes.Element, module: Module) -> None:
        """Put a link to a line of the module, or to its page, in the place of a download."""
        text = download.get("title", "")
        try:
            target = Target(module, line=module.line_with(text) if text else 0)
        except ValueError as error:
            LOGGER.warning(str(error), location=download)
            return
        address = source_address(self.app, self.env.docname, target)
        said = download.next_node(nodes.inline).children
        link = nodes.reference("", "", *said, internal=True, refuri=address, classes=["to-source"])
        if text:
            link["reftitle"] = text
        download.replace_self(link)
