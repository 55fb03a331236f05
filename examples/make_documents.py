"""Writes the PDF and the DOCX of examples/workshop from the texts below.

Run it after changing a text: python examples/make_documents.py (needs the development packages).
The tests read the texts from here, so that every page and heading of the files is known.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "workshop"

PDF_TITLE = "Machine safety"
PDF_PAGES: list[list[tuple[str, str]]] = [
    [
        ("h1", "Machine safety"),
        (
            "p",
            "These rules hold for every machine with a red sticker. Read the page of a machine "
            "before you use it for the first time, and take the class where one is asked for. "
            "The steward may take a card away from anyone who works without guards.",
        ),
        ("h2", "For every machine"),
        (
            "p",
            "Wear safety glasses from the moment a machine is switched on. Tie back long hair and "
            "take off rings, scarves and gloves. Never leave a running machine alone.",
        ),
        (
            "p",
            "The main switch is beside the door to the courtyard. It stops every machine in the "
            "hall at once. Press it first and ask questions later.",
        ),
    ],
    [
        ("h2", "Lathe"),
        (
            "p",
            "At the lathe a full face shield is required, not only glasses. Check that the "
            "workpiece turns freely by hand before you start the motor. The highest speed for "
            "pieces wider than 20 cm is 800 turns a minute.",
        ),
        (
            "p",
            "The lathe may be used only by members who have taken the introduction class and "
            "whose card carries the letter L.",
        ),
        ("h2", "Bandsaw"),
        (
            "p",
            "Set the upper guide no more than one centimetre above the wood. Fingers stay ten "
            "centimetres from the blade; use a push stick for anything shorter. Metal is never "
            "cut on the bandsaw.",
        ),
    ],
    [
        ("h2", "Welding bay"),
        (
            "p",
            "Close the curtain before you strike an arc and switch on the extractor. A second "
            "person must be in the hall while anyone is welding. Stay for thirty minutes after "
            "the last weld and watch for smouldering dust.",
        ),
        ("h2", "First aid"),
        (
            "p",
            "The first aid box hangs beside the sink; the defibrillator is in the entrance. For "
            "an ambulance dial 112 and say Harbour Lane 9, gate B. Write every accident into the "
            "accident book, the small ones too.",
        ),
    ],
]

DOCX_TITLE = "Membership agreement"
DOCX_BODY: list[tuple[str, str]] = [
    ("h1", "Fees"),
    (
        "p",
        "A full membership costs 38 euros a month, a reduced membership 22 euros. Students, "
        "apprentices and people over 65 pay the reduced fee. Fees are due on the first working "
        "day of the month.",
    ),
    ("h1", "Insurance"),
    (
        "p",
        "Members are insured against accidents inside the workshop. The insurance does not cover "
        "tools that a member brings along, nor work done for customers.",
    ),
    ("h1", "Ending a membership"),
    (
        "p",
        "Either side may end the membership with one month's notice to the end of a month. Notice "
        "is given in writing, by letter or by mail to office@harbourlane.example. The deposit of "
        "60 euros for the key card is paid back when the card is returned.",
    ),
    ("h1", "Data"),
    (
        "p",
        "The door system keeps the time of each visit for thirty days and deletes it afterwards. "
        "Pictures from the courtyard camera are kept for three days.",
    ),
]


def write_pdf(path: Path) -> None:
    """Write the safety rules, one page per list of PDF_PAGES."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer

    styles = getSampleStyleSheet()
    names = {"h1": "Heading1", "h2": "Heading2", "p": "BodyText"}
    story = []
    for page in PDF_PAGES:
        for kind, text in page:
            story += [Paragraph(text, styles[names[kind]]), Spacer(1, 6)]
        story.append(PageBreak())
    document = SimpleDocTemplate(str(path), pagesize=A4, title=PDF_TITLE, invariant=1)
    document.build(story)


def write_docx(path: Path) -> None:
    """Write the agreement with real heading styles."""
    from docx import Document

    document = Document()
    document.core_properties.title = DOCX_TITLE
    document.add_heading(DOCX_TITLE, 0)
    for kind, text in DOCX_BODY:
        if kind == "h1":
            document.add_heading(text, 1)
        else:
            document.add_paragraph(text)
    document.save(str(path))


if __name__ == "__main__":
    write_pdf(FOLDER / "safety.pdf")
    write_docx(FOLDER / "membership.docx")
