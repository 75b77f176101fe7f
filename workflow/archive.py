"""Put an analysis into one file: code, configuration, lock, data, results, and an RO-Crate that describes them.

    python workflow/archive.py --folder studies/sleepstudy

`make archive` calls it after a run. The same files give the same bytes. Unpacked on another machine, `make report`
makes the same results again (https://www.researchobject.org/ro-crate/).
"""

import argparse
import gzip
import json
import mimetypes
import sys
import tarfile
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml
from rocrate.rocrate import ROCrate
from twolevel.errors import UserError
from whole_files import write_bytes

CHECKOUT = Path(__file__).resolve().parents[1]
# What the pipeline and the tools make, and what belongs to one machine.
LEFT_OUT = {".git", ".venv", ".snakemake", ".cache", "results", "logs", "build", "__pycache__", ".idea", ".vscode"}
LEFT_OUT_ENDINGS = ("_cache", ".egg-info", ".pyc", ".nbi", ".nbc", ".part", ".tar.gz")
LICENCE = "https://spdx.org/licenses/MIT"


def main(folder: Path) -> Path:
    """Write the archive of the analysis in `folder`, beside its results.

    Raises
    ------
    UserError
        There are no results, or the data lie where the archive does not reach.
    """
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    name, results = config["data"]["name"], folder / config.get("results", "results")
    provenance = results / "data/provenance.json"
    if not (results / "report.html").is_file() or not provenance.is_file():
        raise UserError(f"{results} has no report; run the pipeline first: make report")
    if not folder.is_relative_to(CHECKOUT):
        raise UserError(f"{folder} lies outside {CHECKOUT}, whose code the archive holds; move it to its studies/.")
    story = json.loads(provenance.read_text(encoding="utf-8"))
    data = folder / str(story["source"])
    if data.is_file() and not data.resolve().is_relative_to(CHECKOUT):
        raise UserError(f"The data, {data}, lie outside {CHECKOUT}; copy them into {folder}, named in data.mode.")
    files = sorted({*_code(CHECKOUT, results), *(path for path in results.rglob("*") if _belongs(path))})
    described = _description(files, folder, results, config["data"].get("title", name), story)
    target = folder / f"{name}.tar.gz"
    write_bytes(target, _packed(name, files, described))
    return target


def _code(folder: Path, results: Path) -> Iterator[Path]:
    """All files of the checkout but what is made from them."""
    for path in folder.iterdir():
        if path.name in LEFT_OUT or path.name.endswith(LEFT_OUT_ENDINGS) or path == results:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _code(path, results)
        elif path.is_file():
            yield path


def _belongs(path: Path) -> bool:
    return path.is_file() and not path.name.endswith(LEFT_OUT_ENDINGS)


def _description(files: list[Path], folder: Path, results: Path, title: str, story: dict[str, Any]) -> bytes:
    """The RO-Crate's metadata; its date is that of the data, since the time of packing is not the same twice."""
    crate = ROCrate()
    study = "" if folder == CHECKOUT else f" STUDY={folder.relative_to(CHECKOUT)}"
    crate.name = f"{title}: two-level models, their data, code and results"
    crate.description = (
        f"`make report{study}` makes the results again from the code, the configuration, the locked versions and the "
        f"data ({story['source']}, SHA-256 {story['sha256']})."
    )
    crate.license = LICENCE
    crate.datePublished = datetime.fromisoformat(story["obtained_at"])
    for file in files:
        path = file.relative_to(CHECKOUT).as_posix()
        kind = mimetypes.guess_type(path)[0]
        about = {"contentSize": str(file.stat().st_size)} | ({"encodingFormat": kind} if kind else {})
        if path == "Snakefile":
            crate.add_workflow(file, path, main=True, lang="snakemake", properties=about)
        else:
            crate.add_file(file, path, properties=about | {"name": path})
    made = f"{results.relative_to(CHECKOUT).as_posix()}/"
    crate.add_dataset(dest_path=made, properties={"name": "results: docs/results.md explains each file"})
    text = json.dumps(crate.metadata.generate(), indent=2, sort_keys=True, ensure_ascii=False)
    return (text + "\n").encode()


def _packed(name: str, files: list[Path], described: bytes) -> bytes:
    """A tar.gz without owners and times, in order."""
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, content, mode in (
            ("ro-crate-metadata.json", described, 0o644),
            *((file.relative_to(CHECKOUT).as_posix(), None, file.stat().st_mode) for file in files),
        ):
            data = (CHECKOUT / path).read_bytes() if content is None else content
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size, entry.mode = len(data), 0o755 if mode & 0o100 else 0o644
            tar.addfile(entry, BytesIO(data))
    return gzip.compress(packed.getvalue(), mtime=0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=CHECKOUT, help="of the analysis: where its config.yaml is")
    try:
        print(f"The archive is at {main(parser.parse_args().folder.resolve())}")  # noqa: T201
    except UserError as mistake:
        sys.exit(f"error: {mistake}")
