"""What can be done: one file per desk; the only place where ports meet.

A desk's method reads top to bottom: load, decide, write, in one transaction. What talks to the outside happens
between transactions, never inside one.
"""
