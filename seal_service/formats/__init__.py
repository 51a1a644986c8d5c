"""What the bytes say: SES, CMS, OFD and PDF. Pure: bytes and dataclasses only."""
