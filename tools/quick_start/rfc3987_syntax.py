"""Not there: tests do without the grammars of international addresses.

jsonschema, which every reader of notebooks imports, uses this package if it is installed. To
import it takes seconds of each process, and no notebook here has such an address.
"""

raise ImportError("left out while testing, see tools/test.py")
