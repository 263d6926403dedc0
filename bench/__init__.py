"""How fast it is, measured beside what a good engineer would write by hand: `python -m bench --help`.

Everything is reported as a ratio of two things that ran in turns on the same machine in the same minutes, since
orders per second say more about the machine than about the code. docs/speed.md tells what is measured and why.
"""
