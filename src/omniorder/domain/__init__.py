"""What is true in click and collect: frozen classes and pure functions, with no I/O, clock or randomness."""
