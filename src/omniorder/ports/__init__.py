"""What the world must provide: one small Protocol per file, with the frozen classes that cross it.

All threads share a hub, and so its adapters: every method may be called by several at once.
"""
