"""Files made from nothing but the standard library, whose text per page is known."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT_W = "http://purl.oclc.org/ooxml/wordprocessingml/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
REL = "http://schemas.openxmlformats.org/package/2006/relationships"
MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
X = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ODF = "urn:oasis:names:tc:opendocument:xmlns:"

Placed = tuple[float, float, str]
"""x and y of a printed line, and its text."""


def zipped(members: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def relationships(*targets: tuple[str, str, str]) -> str:
    """Relationships of (id, last word of the type, target)."""
    found = "".join(
        f'<Relationship Id="{id_}" Type="{R}/{kind}" Target="{target}"/>'
        for id_, kind, target in targets
    )
    return f'<Relationships xmlns="{REL}">{found}</Relationships>'


def docx(body: str, extra: Mapping[str, str] | None = None, namespace: str = W) -> bytes:
    """A Word file of a body and of parts by name under word/, such as `styles`."""
    extra = extra or {}
    kinds = {name: name.rstrip("0123456789") for name in extra}
    members = {
        "_rels/.rels": relationships(
            ("r1", "officeDocument", "word/document.xml"),
            ("r2", "metadata/core-properties", "docProps/core.xml"),
        ),
        "word/document.xml": word("document", f"<w:body>{body}</w:body>", namespace),
        "word/_rels/document.xml.rels": relationships(
            *((f"r{n}", kind, f"{name}.xml") for n, (name, kind) in enumerate(kinds.items()))
        ),
    }
    members |= {f"word/{name}.xml": content for name, content in extra.items()}
    return zipped(members)


def word(root: str, content: str, namespace: str = W) -> str:
    return f'<w:{root} xmlns:w="{namespace}" xmlns:mc="{MC}">{content}</w:{root}>'


def para(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{run(text)}</w:p>"


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def pdf(
    pages: Sequence[Sequence[Placed]],
    *,
    size: int = 12,
    title: str = "",
    outline: Sequence[tuple[str, int, float]] = (),
    labels: str = "",
) -> bytes:
    """A PDF of printed lines; an outline of (title, page index, height); labels as `/Nums` entries."""
    count = len(pages)
    first = 4 + 2 * count
    roots = f"/Outlines {first} 0 R" if outline else ""
    roots += f" /PageLabels << /Nums [{labels}] >>" if labels else ""
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(count))
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {roots} >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for index, lines in enumerate(pages):
        content = "".join(
            f"BT /F1 {size} Tf 1 0 0 1 {x} {y} Tm ({_escaped(text)}) Tj ET\n"
            for x, y, text in lines
        )
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources"
            f" << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * index} 0 R >>"
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}endstream")
    objects += _outline(outline, first)
    objects.append(f"<< /Title ({_escaped(title)}) /CreationDate (D:20260203) >>")
    return _pdf_file(objects, f"/Info {len(objects)} 0 R")


def _outline(outline: Sequence[tuple[str, int, float]], first: int) -> list[str]:
    if not outline:
        return []
    last = first + len(outline)
    found = [f"<< /Type /Outlines /First {first + 1} 0 R /Last {last} 0 R /Count {len(outline)} >>"]
    for number, (title, page, top) in enumerate(outline, first + 1):
        following = f"/Next {number + 1} 0 R" if number < last else ""
        found.append(
            f"<< /Title ({_escaped(title)}) /Parent {first} 0 R {following}"
            f" /Dest [{4 + 2 * page} 0 R /XYZ 0 {top} 0] >>"
        )
    return found


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _pdf_file(objects: Sequence[str], trailer: str) -> bytes:
    out = io.BytesIO()
    out.write(b"%PDF-1.4\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1"))
    start = out.tell()
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode())
    out.write(
        f"trailer << /Root 1 0 R /Size {len(objects) + 1} {trailer} >>\n"
        f"startxref\n{start}\n%%EOF".encode()
    )
    return out.getvalue()


def column(
    lines: Sequence[str], *, x: float = 72, top: float = 720, step: float = 14
) -> list[Placed]:
    """Lines one under the other."""
    return [(x, top - step * index, text) for index, text in enumerate(lines)]
