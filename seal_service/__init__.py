"""Seals and sealing: formats, seal register, seal-use log, plumbing."""
