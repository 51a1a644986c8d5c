"""The version of this software, as receipts and the command line name it."""

VERSION = "0.1.0"
