"""Check the recorded corpora of a git repository out at a fixed commit, and nothing else of it."""

import json
import shutil
import subprocess
from pathlib import Path

import typer


def main(
    repository: str = typer.Argument(..., help="URL of the repository"),
    commit: str = typer.Argument(..., help="Commit, in full or abbreviated"),
    dest: Path = typer.Argument(..., help="Folder to write; replaced"),
    checksums: Path = typer.Option(..., help="Manifest that says which files are wanted", exists=True),
    source: str = typer.Option("public", help="Source in the manifest"),
    folder: str = typer.Option("data", help="Folder of the repository that holds the corpora"),
) -> None:
    """Clone without file contents, then check the recorded files out at the commit and keep those."""
    recorded = json.loads(checksums.read_text(encoding="utf8"))[source]["sha256"]
    wanted = sorted({name.split("/")[0] for name in recorded})
    others = sorted({path.name for path in dest.iterdir()} - set(wanted)) if dest.is_dir() else []
    if others:
        raise typer.BadParameter(
            f"{dest} holds more than these corpora ({', '.join(others[:3])}); name a folder of its own"
        )
    clone = dest.with_name(dest.name + ".clone")
    shutil.rmtree(clone, ignore_errors=True)
    dest.parent.mkdir(parents=True, exist_ok=True)
    git("clone", "--no-checkout", "--filter=blob:none", repository, str(clone))
    git("-C", str(clone), "sparse-checkout", "set", "--no-cone", *(f"/{folder}/{name}" for name in sorted(recorded)))
    git("-C", str(clone), "-c", "core.autocrlf=false", "checkout", "--quiet", "--detach", commit)
    shutil.rmtree(dest, ignore_errors=True)  # only now that the new one is here
    shutil.move(str(clone / folder), str(dest))
    shutil.rmtree(clone)


def git(*arguments: str) -> None:
    """Run git; an error ends the script with git's own message and exit code."""
    try:
        done = subprocess.run(["git", *arguments], check=False)
    except OSError as error:
        raise typer.BadParameter(f"git cannot be run ({error.strerror}): install it") from error
    if done.returncode:
        raise typer.Exit(done.returncode)


if __name__ == "__main__":
    typer.run(main)
