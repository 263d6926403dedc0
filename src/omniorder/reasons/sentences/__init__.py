"""What is said for each code, one file per language."""
