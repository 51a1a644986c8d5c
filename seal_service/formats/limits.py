"""How much hostile input may cost: sizes, depths, counts, checked before any work is spent on them.

The defaults are the table of our threat list (section 9). The ratio, its threshold and the number
of members follow the EU DSS container reader; the rest are ours.
"""

from dataclasses import dataclass

from keys import der

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Upper bounds, all inclusive: a value equal to the limit is still read."""

    document_bytes: int = 20 * MIB

    package_members: int = 1_000
    member_name_bytes: int = 255
    directory_depth: int = 16
    unpacked_bytes: int = 128 * MIB
    member_bytes: int = 64 * MIB
    compression_ratio: int = 100
    ratio_threshold_bytes: int = 1_000_000
    """The ratio is judged only for members that unpack to more than this."""

    xml_bytes: int = 32 * MIB
    xml_depth: int = 64
    xml_attributes: int = 64
    """Per element."""
    xml_text_characters: int = 8 * MIB

    asn1_depth: int = der.MAX_DEPTH
    ses_bytes: int = 2 * MIB
    picture_bytes: int = MIB
    picture_pixels: int = 4_000_000

    pdf_objects: int = 200_000
    pdf_revisions: int = 32
    pdf_filters: int = 4
    pdf_pages: int = 500

    ofd_pages: int = 500
    path_operators: int = 500_000
    """Per page."""
    template_depth: int = 8
    page_side_mm: float = 20_000.0
    text_characters: int = 1_000_000
    """Per document, when text is read for comparison."""
    text_deltas: int = 100_000
    """Per text run, after the repeat notation is spelled out."""

    signatures: int = 32


DEFAULT_LIMITS = Limits()
