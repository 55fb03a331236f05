"""A parsing child with one more reader: the same code, pipes and limits as the real one.

Run by its path; that other programs may speak the protocol is what lets this test use no stand-in.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[2])]

from ragcli.documents.child import main
from ragcli.formats import FORMATS, detect
from ragcli.registry import Plug

TABLE = {**FORMATS, "hostile": Plug("hostile_reader")}

if __name__ == "__main__":
    main(TABLE, lambda name, head: "hostile" if name.endswith(".hostile") else detect(name, head))
