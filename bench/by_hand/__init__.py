"""The yardstick: the same rows in the same number of commits, written by hand on the bare driver.

It stands for what a good engineer would write for this one purpose. It is told everything that it needs (what is in
the basket, what that costs), looks nothing up, decides nothing and knows one path only; but the statements that
guard stock, slots and versions are guarded here as they are in the library.
"""
