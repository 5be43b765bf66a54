"""How much memory a process has used at its largest."""

import resource
import sys


def peak() -> int:
    """Bytes at the largest so far: of this process or of the largest worker it has started, whichever is more."""
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
