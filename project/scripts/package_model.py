"""Build the wheel of a trained pipeline: complete its meta, drop what it does not need, run ``spacy package``."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Dict, List, Optional

import spacy
import typer
from spacy.cli.package import package
from spacy.language import Language

from spacy_mtl_bioner.packaging.check import refuse_pickles
from spacy_mtl_bioner.training.callbacks import drop_vectors


def main(
    model: Path = typer.Argument(..., help="Trained pipeline", exists=True, file_okay=False),
    out: Path = typer.Argument(..., help="Folder for the package"),
    name: str = typer.Option(..., help="Name of the package, without the language"),
    version: str = typer.Option(..., help="Version of the package"),
    scores: Path = typer.Option(..., help="scores.json of 'mtl-bioner evaluate'", exists=True),
    catalogue: Path = typer.Option(..., help="Catalogue that tells the corpora's licenses", exists=True),
    author: str = typer.Option("", help="Author of the model"),
    license: str = typer.Option("MIT", help="License of the model"),
    license_file: Optional[Path] = typer.Option(None, help="Text of that license, to go into the wheel", exists=True),
) -> None:
    """Write ``en_NAME-VERSION`` with its wheel in ``dist``; refuse to where it would hold pickled data."""
    nlp = spacy.load(model)
    drop_spare_vectors(nlp)
    results = json.loads(scores.read_text(encoding="utf8"))
    nlp.meta.update(
        name=name,
        version=version,
        author=author,
        license=license,
        description=f"Biomedical named entities in one multi-task model: {', '.join(results['corpora'])}.",
        sources=sources(list(results["corpora"]), catalogue),
        performance=performance(results),
    )
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        nlp.to_disk(folder)
        if license_file is not None:
            shutil.copy(license_file, Path(folder) / "LICENSE")
        (Path(folder) / "LICENSES_SOURCES").write_text(licenses(nlp.meta["sources"]), encoding="utf8")
        package(Path(folder), out, create_sdist=False, create_wheel=True, force=True, silent=False)
    for wheel in sorted((out / f"{nlp.lang}_{name}-{version}" / "dist").glob("*.whl")):
        refuse_pickles(wheel)
        print(f"{wheel}: {wheel.stat().st_size / 1e6:.1f} MB, no pickled data")


def drop_spare_vectors(nlp: Language) -> None:
    """Empty the vocabulary's vectors where every part that uses word vectors has a table of its own."""
    nodes = {node.name for _, pipe in nlp.pipeline for node in getattr(getattr(pipe, "model", None), "walk", list)()}
    if "word_vectors" in nodes and "static_vectors" not in nodes:
        drop_vectors(nlp)


def sources(corpora: List[str], catalogue: Path) -> List[Dict[str, str]]:
    """Return name, address, author and license of each corpus, as the meta has them."""
    from spacy_mtl_bioner.corpora.catalogue import get_entry, load_catalogue

    known = load_catalogue(catalogue)
    entries = [get_entry(known, corpus) for corpus in corpora]
    return [{"name": e.name, "url": e.url, "author": e.citation, "license": e.license} for e in entries]


def licenses(entries: List[Dict[str, str]]) -> str:
    """Return the license of each source as the text of LICENSES_SOURCES."""
    text = "# {name}\n\n* Author: {author}\n* URL: {url}\n* License: {license}\n\n"
    return "".join(text.format(**entry) for entry in entries)


def performance(results: Dict) -> Dict[str, float]:
    """Return the test scores as spaCy keeps them, as fractions."""
    found = {}
    for corpus, result in results["corpora"].items():
        for short, long in (("p", "precision"), ("r", "recall"), ("f", "f1")):
            found[f"mtl_{corpus}_{short}"] = result["gold_tokens"][long] / 100
    f1 = [result["gold_tokens"]["f1"] / 100 for result in results["corpora"].values()]
    return {"mtl_macro_f": sum(f1) / len(f1), **found}


if __name__ == "__main__":
    typer.run(main)
