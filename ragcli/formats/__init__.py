"""The plug board of file formats: which reader reads which file, decided by content before name.

A reader turns bytes into documents made of blocks. It opens no file, follows no link and knows
nothing of chunks; its time is linear in what it is given, whatever that is. What all share:

* `heading` of a block is the path of headings it stands under, outermost first; a heading's own
  block carries itself as the last element.
* Text is NFC with line ends of `\\n`, lines are counted on `\\n` alone, from 1.
* A document without text is a ParseError, never an empty result.
"""

from __future__ import annotations

from ragcli.formats import sniff
from ragcli.registry import Plug

FORMATS: dict[str, Plug] = {
    "text": Plug("ragcli.formats.text"),
    "markdown": Plug("ragcli.formats.markdown"),
    "rst": Plug("ragcli.formats.rst"),
    "html": Plug("ragcli.formats.html"),
    "xml": Plug("ragcli.formats.xmltext"),
    "latex": Plug("ragcli.formats.latex"),
    "code": Plug("ragcli.formats.code"),
    "csv": Plug("ragcli.formats.tables"),
    "tsv": Plug("ragcli.formats.tables"),
    "json": Plug("ragcli.formats.jsons"),
    "jsonl": Plug("ragcli.formats.jsonlines"),
    "yaml": Plug("ragcli.formats.yamls"),
    "notebook": Plug("ragcli.formats.notebook"),
    "pdf": Plug("ragcli.formats.pdf"),
    "docx": Plug("ragcli.formats.docx"),
    "pptx": Plug("ragcli.formats.pptx"),
    "sheets": Plug("ragcli.formats.sheets"),
    "odt": Plug("ragcli.formats.odt"),
    "rtf": Plug("ragcli.formats.rtf"),
    "epub": Plug("ragcli.formats.epub"),
    "eml": Plug("ragcli.formats.eml"),
}

_SUFFIXES_OF = {
    "text": ".txt .text .log .adoc .asciidoc .org .ini .cfg .conf .toml .properties .srt .vtt .bib",
    "markdown": ".md .markdown .mdown .mkd .mkdn .mdx .qmd .rmd",
    "rst": ".rst .rest",
    "html": ".html .htm .xhtml .shtml",
    "xml": ".xml .svg .xsd .xsl .xslt .rss .atom .wsdl .plist",
    "latex": ".tex .ltx .latex",
    "code": (
        ".py .pyi .js .jsx .mjs .cjs .ts .tsx .java .kt .kts .scala .groovy .go .rs .c .h .cc .cpp .cxx"
        " .hh .hpp .cs .swift .m .rb .php .pl .pm .lua .r .jl .dart .sh .bash .zsh .fish .ps1 .sql"
        " .proto .graphql .css .scss .less .vue .svelte .ex .exs .erl .hs .clj .el .vim .zig .tf .sty"
    ),
    "csv": ".csv",
    "tsv": ".tsv .tab",
    "json": ".json .json5 .jsonc .geojson .webmanifest",
    "jsonl": ".jsonl .ndjson .jl",
    "yaml": ".yaml .yml",
    "notebook": ".ipynb",
    "pdf": ".pdf",
    "docx": ".docx .docm .dotx",
    "pptx": ".pptx .pptm .ppsx",
    "sheets": ".xlsx .xlsm .xlsb .xls .ods",
    "odt": ".odt",
    "rtf": ".rtf",
    "epub": ".epub",
    "eml": ".eml",
}

SUFFIXES: dict[str, str] = {
    suffix: name for name, suffixes in _SUFFIXES_OF.items() for suffix in suffixes.split()
}
"""File name suffix, lower case with its dot -> format name."""


def detect(name: str, head: bytes) -> str | None:
    """Name the format of a file from its first 8 kB and its name; None is binary or unsupported.

    What the bytes say wins over the suffix: a PDF named `.txt` is a PDF, text named `.docx` is text.
    """
    suffix = sniff.suffix_of(name)
    by_name = SUFFIXES.get(suffix)
    if not head:
        return by_name or "text"
    container = sniff.container(head, by_name)
    if container is not None:
        return container.format
    if not sniff.looks_like_text(head):
        return None
    return sniff.refine(head, by_name)
