"""The shop's own tables; omniorder migrates its own."""
