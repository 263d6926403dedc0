"""Bad input: a typed error with a code and the offending value, and nothing written, on every adapter."""
