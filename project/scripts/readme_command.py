"""Print a command of README.md: the code block that follows the marker ``<!-- command: NAME -->``."""

import re
import sys
from pathlib import Path


def readme_command(name: str) -> str:
    """Return the command; raises ValueError where the README does not hold it exactly once."""
    readme = Path(__file__).resolve().parents[2] / "README.md"
    found = re.findall(rf"<!-- command: {re.escape(name)} -->\n```\w*\n(.+?)\n```", readme.read_text("utf8"), re.DOTALL)
    if len(found) != 1:
        raise ValueError(f"{readme}: {len(found)} commands named {name!r}; expected one")
    return found[0]


if __name__ == "__main__":
    print(readme_command(sys.argv[1]))
