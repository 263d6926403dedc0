"""Revisions of the schema; see `migrating`."""
