"""A side of a benchmark that is killed, in a module that imports nothing heavy: it is quickly there to die."""

import os
import time
from pathlib import Path
from typing import NoReturn


def be_killed(settings: object, data: Path) -> NoReturn:
    """Get the signal whose number is the name of the data."""
    os.kill(os.getpid(), int(data.name))
    time.sleep(60)
    raise AssertionError("it is still alive")
