"""Click and collect across every channel.

The public names stand in `__init__.pyi`, sorted. They are loaded when they are first used, so that a program that
imports omniorder pays for what it needs and no more: a bare import loads neither the services nor any adapter.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
