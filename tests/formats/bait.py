"""Reads, within the processor time it is given, inputs on which careless readers are quadratic.

`python bait.py SECONDS`: every text reader reads every bait; a signal ends it when time is up.
"""

from __future__ import annotations

import importlib
import resource
import sys

from ragcli.errors import ParseError
from ragcli.formats import FORMATS
from ragcli.formats.limits import Limits

SIZE = 110_000
DEEP_LIST = "\n".join("  " * (index % 300) + "- x" for index in range(800))
REPEATED = {
    "markdown": [
        *(
            "[",
            "[a](",
            "](",
            "![a](",
            "[a](b ",
            "[a](<b",
            "[a](b(",
            '[a](b "',
            "[a][",
            "[]",
            "`a ``b ",
        ),
        *(
            "<!--",
            "<",
            "<a ",
            "<a.b",
            "<http://",
            "> ",
            "- ",
            "1. ",
            "\\",
            "*a ",
            "#",
            "# ",
            "[a\n",
            "[a]:\n",
        ),
        *(
            "[a]:<",
            "[a]: b\n",
            "- \n\n",
            "```\n",
            "a|b\n-|-\n",
            "|",
            "|-",
            "\t- \n",
            "<div>\n",
            "<a b=",
            "a\n",
        ),
    ],
    "html": [
        *(
            "<div>",
            "<div><p>",
            "<li>",
            "<ul><li>",
            "</p>",
            "<b>",
            "</i>",
            "<!--",
            "<!-->",
            "<!-- --",
            "<",
        ),
        *(
            "<a ",
            '<a "',
            '<a b="',
            "<a b=\"c' d='\">",
            "<script>",
            "<title>",
            "<![CDATA[",
            "&",
            "&#",
            "&not",
        ),
        *(
            "</",
            "<?",
            "<!",
            "<table><tr><td>",
            "<td>a\n",
            "<pre>",
            "a<br>",
            "<h1>a",
            "<p>a\n",
            "<option>",
            "a<b>\n",
        ),
    ],
    "rst": [
        *(
            "`",
            ":a:",
            ":a:`",
            ":a:`b <",
            "*",
            ".. ",
            "== ",
            ".. a\n",
            ".. a:: b\n",
            ".. a::\n\n",
            "== ==\n",
        ),
        *(
            "== ==\nx\n",
            "a\n=\n",
            "==\na\n==\n",
            "+-+-+\n|a|\n",
            "- a\n",
            ":a: b\n",
            "a::\n\n b\n\n",
            "a\n\n",
        ),
    ],
    "latex": [
        *(
            "%",
            "\\",
            "\\section{",
            "\\section{a\n",
            "\\section[",
            "\\emph{",
            "\\label{",
            "\\begin[a]",
            "\n",
        ),
        *("\\begin{verbatim}\n", "\\item\n", "a\n\n"),
    ],
    "json": ["{", "[", "[]", '{"a":', "[1,", '"a",', '"', "\\u00e9", "\\ud83d", ":", ","],
    "jsonl": ["[", '{"a":', '"', '{"a":1}\n', "x\n"],
    "yaml": ["a: ", "- ", "- - a: b\n", ":", "a\n", " \n"],
    "csv": ['a,"b\n', '"""\n', '"', ",", ",\n", ";,\t|", "a\n"],
    "xml": ["<", "<a>", "<a>b</a>\n", "<![CDATA[", "\n", "&amp;"],
    "code": ["def a():\n", "pub ", "func (", "class ", "\n", "a\n\n"],
    "text": ["a", " ", "\n", "a\n\n", "\x1b]", "\x1b[1;", "a\u0301\u0327", "\r"],
}
WHOLE = {
    "markdown": [
        DEEP_LIST,
        "- " * 60 + "x\n" + " " * 120 + "\n" * SIZE,
        " ".join("`" * length for length in range(700)),
        "\n".join(">" * (index % 600) for index in range(800)),
        "# " + " #" * SIZE + "x",
        "a\n" + "=" * SIZE,
        "- " * SIZE,
        "> " * SIZE,
    ],
    "html": [
        "<ul><li><ul>" + "<div>" * 10_000 + "<li></li>" * 10_000,
        "<i hidden><div>" + "<b>" * 10_000 + "</i>" * 10_000,
        "<a " + 'b="c" ' * (SIZE // 6) + ">",
        "<a hidden" + " " * SIZE + "x>",
        '<p style="' + "display" + " " * SIZE + 'none">x',
        "&#" + "9" * SIZE + ";",
    ],
    "text": ["a" + "\u0301\u0327" * SIZE, "a" * SIZE, "\x1b[" * SIZE + "1" * SIZE],
}


def main() -> None:
    seconds = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    for form, parts in REPEATED.items():
        reader = importlib.import_module(FORMATS[form].module)
        for bait in [*(part * (SIZE // len(part)) for part in parts), *WHOLE.get(form, [])]:
            try:
                for _ in reader.read(bait.encode(), "a.py", Limits()):
                    pass
            except ParseError:
                continue
    print("all read")


main()
