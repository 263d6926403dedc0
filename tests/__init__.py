"""The tests: one file per module of `src/omniorder`, at the same place."""
