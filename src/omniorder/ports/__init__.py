"""What the world must provide: one small Protocol per file, with the frozen classes that cross it."""
