"""Run in the fresh environment of ``check-package``: a request on stdin, what was found there on stdout, both JSON.

request: ``{"package": name, "texts": [...]}``; answer: ``{"entities": one list a text of [start, end, label],
"origins": file of each module, "unmet": requirements that are not fulfilled}``.
"""

import importlib
import importlib.metadata
import json
import socket
import sys
from typing import Dict, List


def answer(package: str, texts: List[str]) -> Dict:
    """Load the installed pipeline and annotate the texts. Raises RuntimeError where the network is open."""
    require_blocked_network()
    import spacy

    docs = list(spacy.load(package).pipe(texts))
    names = ("spacy_mtl_bioner", package)
    return {
        "entities": [[[ent.start_char, ent.end_char, ent.label_] for ent in doc.ents] for doc in docs],
        "origins": {name: importlib.import_module(name).__file__ for name in names},
        "unmet": [problem for name in names for problem in unmet(name)],
    }


def require_blocked_network() -> None:
    """Raise RuntimeError unless a connection is refused by ``block_network``."""
    try:
        socket.create_connection(("localhost", 9), timeout=1)
    except OSError as error:
        if "blocked" in str(error):
            return
    raise RuntimeError("the network is not blocked")


def unmet(name: str) -> List[str]:
    """Return the requirements of an installed distribution that this environment does not fulfill."""
    from packaging.requirements import Requirement

    problems = []
    for text in importlib.metadata.requires(name) or []:
        need = Requirement(text)
        if need.marker is not None and not need.marker.evaluate({"extra": ""}):
            continue
        version = importlib.metadata.version(need.name)
        if not need.specifier.contains(version, prereleases=True):
            problems.append(f"{name} requires {text}, found {version}")
    return problems


if __name__ == "__main__":
    json.dump(answer(**json.load(sys.stdin)), sys.stdout)
