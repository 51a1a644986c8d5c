"""Make the golden files again: ``make golden``. Look at the pages before committing.

Kept are the OFD page contents of the sample faces: they show every line, place, size, colour and
drawing of the layout, and so tell when a new typst or a changed template moves anything. And the
seals of every shape, as SVG.
"""

from pathlib import Path

from tests.golden import seal_faces
from tests.licence_store.rendering.samples import BUSINESS, FOOD, make_face, renderer, template

FOLDER = Path(__file__).parent
FACES = {"business_licence": BUSINESS, "food_business_licence": FOOD}


def make_page(code: str) -> bytes:
    """Return the page content of the sample face, one object to a line."""
    face = renderer().render_face(template(code), make_face(code))
    content = face.ofd_entries["Doc_0/Pages/Page_0/Content.xml"]
    return content.replace(b"><ofd:TextObject", b">\n<ofd:TextObject").replace(
        b"><ofd:PathObject", b">\n<ofd:PathObject"
    )


def main() -> None:
    """Write the files."""
    for name, code in FACES.items():
        (FOLDER / f"{name}.page.xml").write_bytes(make_page(code))
    seal_faces.FOLDER.mkdir(exist_ok=True)
    for name in seal_faces.SEALS:
        (seal_faces.FOLDER / f"{name}.svg").write_bytes(seal_faces.draw(name))


if __name__ == "__main__":
    main()
