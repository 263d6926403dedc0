"""Every adapter keeps the promises of its port; what is its own is tested beside that."""
