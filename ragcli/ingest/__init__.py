"""Brings a collection level with folders: scan, plan, parse, publish, embed."""
