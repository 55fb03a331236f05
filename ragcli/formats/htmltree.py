"""Which HTML elements are open, as far as it decides what is shown: the end of a hidden element.

Follows the tree rules of the HTML standard (13.2.6) for implied end tags and scopes; anything that
does not bear on where hidden text ends is left out. Constant time for each tag on average.
"""

from __future__ import annotations

import re

_BLOCK_NAMES = (
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset"
    " figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol"
    " optgroup option p pre search section summary table tbody td tfoot th thead title tr ul"
)
_VOID_NAMES = "area base br col embed hr img input link meta param source track wbr"
_UNSHOWN_NAMES = (
    "audio canvas datalist iframe noembed noframes noscript object script style template video"
)
BLOCKS = frozenset(_BLOCK_NAMES.split())
"""Elements that begin and end a piece of text of their own."""
_VOID = frozenset(_VOID_NAMES.split())
_NEVER_SHOWN = frozenset(_UNSHOWN_NAMES.split())
_SIBLINGS = {
    "li": (("li",), ("ul", "ol", "menu", "dir")),
    "dt": (("dt", "dd"), ("dl",)),
    "dd": (("dt", "dd"), ("dl",)),
    "tr": (("tr",), ("table",)),
    "td": (("td", "th"), ("tr", "table")),
    "th": (("td", "th"), ("tr", "table")),
    "thead": (("thead", "tbody", "tfoot"), ("table",)),
    "tbody": (("thead", "tbody", "tfoot"), ("table",)),
    "tfoot": (("thead", "tbody", "tfoot"), ("table",)),
    "option": (("option",), ("optgroup",)),
}
_TABLE_PARTS = frozenset(["table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption"])
_BARRIERS = ("td", "th", "caption", "template")
_TRACKED = BLOCKS | {"template", "noscript", "object"}
_FARTHEST = 64

_ATTRIBUTE = re.compile(r"([^\s/>=]++)(?:\s*+=\s*+(\"[^\"]*+\"|'[^']*+'|[^\s>]*+))?+")
_UNSHOWN_STYLE = re.compile(r"display\s*+:\s*+none|visibility\s*+:\s*+hidden", re.IGNORECASE)


class OpenElements:
    """The stack of open elements. `hidden` says whether text at this point is shown to nobody."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._where: dict[str, list[int]] = {}
        self._hidden_from: int | None = None

    @property
    def hidden(self) -> bool:
        return self._hidden_from is not None

    def start(self, name: str, attributes: str) -> None:
        """Open an element, after closing those that its start tag ends."""
        if name in BLOCKS:
            self._imply_ends(name)
        if name in _VOID:
            return
        unshown = name in _NEVER_SHOWN or is_hidden(attributes)
        if name not in _TRACKED and not (unshown or self.hidden):
            return
        if unshown and self._hidden_from is None:
            self._hidden_from = len(self._names)
        if name in _TRACKED:
            self._where.setdefault(name, []).append(len(self._names))
        self._names.append(name)

    def end(self, name: str) -> None:
        """Close the nearest open element of a name and what is open in it, if its scope allows."""
        at = self._nearest(name)
        if at >= 0:
            self._close(at)

    def _nearest(self, name: str) -> int:
        """The position of the element that an end tag closes, -1 where it closes none."""
        if name in _TRACKED:
            at = self._last(name)
            barred = -1 if name in _TABLE_PARTS else self._last(*_BARRIERS)
            return at if at >= barred else -1
        for at in range(len(self._names) - 1, max(len(self._names) - _FARTHEST, 0) - 1, -1):
            if self._names[at] == name:
                return at
            if self._names[at] in _TRACKED:
                break
        return -1

    def _imply_ends(self, name: str) -> None:
        paragraph = self._last("p")
        if paragraph > self._last(*_BARRIERS):
            self._close(paragraph)
        if name in _SIBLINGS:
            group, scope = _SIBLINGS[name]
            at = self._last(*group)
            if at > self._last(*scope):
                self._close(at)

    def _last(self, *names: str) -> int:
        """The position of the innermost open element of these names, -1 where there is none."""
        return max((where[-1] for name in names if (where := self._where.get(name))), default=-1)

    def _close(self, at: int) -> None:
        while len(self._names) > at:
            name = self._names.pop()
            if name in _TRACKED:
                self._where[name].pop()
        if self._hidden_from is not None and self._hidden_from >= at:
            self._hidden_from = None


def is_hidden(attributes: str) -> bool:
    """Whether a tag hides its element by the attribute `hidden` or by its own style."""
    lower = attributes.lower()
    if "hidden" not in lower and "none" not in lower:
        return False
    for name, value in _ATTRIBUTE.findall(lower):
        if name == "hidden" or (name == "style" and _UNSHOWN_STYLE.search(value)):
            return True
    return False
