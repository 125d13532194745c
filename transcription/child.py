"""How processes of our own are started, so that they find the same modules as we do."""

import os
import sys


def child_environment() -> dict[str, str]:
    """Our environment, with the places where this process finds its modules."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
