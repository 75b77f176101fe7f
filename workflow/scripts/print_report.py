"""Print the report: the same page as a PDF, by a headless Chromium."""

import logging
import os
import re
import subprocess
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from _job import job
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, ByteStringObject, NameObject, TextStringObject
from twolevel.errors import UserError
from whole_files import write_bytes

# Seconds that a browser may take; it needs a few.
PATIENCE = 180

LANGUAGE = "en-GB"

NODE = re.compile(rb"\(node\d{8}\)")


def main(browser: str, page: str, output: str) -> None:
    """Write the PDF.

    Parameters
    ----------
    browser : the program
    page, output : paths of the HTML and of the PDF
    """
    with TemporaryDirectory() as folder:
        printed = Path(folder, "report.pdf")
        print_page(browser, Path(page), printed, Path(folder))
        write_bytes(output, reproducible(printed.read_bytes()))


def print_page(browser: str, page: Path, output: Path, folder: Path, patience: float = PATIENCE) -> None:
    """Have the browser print a page, with a profile and a home of its own and nothing fetched.

    Raises
    ------
    UserError
        The browser could not be started, took too long, or printed nothing.
    """
    command = [
        browser,
        "--headless",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--no-first-run",
        # Its sandbox refuses root, who may do anything anyway.
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
        f"--user-data-dir={folder / 'profile'}",
        "--no-pdf-header-footer",
        "--generate-pdf-document-outline",
        f"--print-to-pdf={output}",
        page.resolve().as_uri(),
    ]
    environment = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
    mend = "Run it by hand to see why, or take it off the PATH: the run then goes without a PDF."
    try:
        run = subprocess.run(  # noqa: S603
            command, env=environment, capture_output=True, text=True, errors="replace", timeout=patience, check=False
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"{browser} had not printed {page} after {patience} seconds. {mend}") from None
    except OSError as error:
        raise UserError(f"{browser} could not be started ({error}). {mend}") from error
    if run.returncode or not output.is_file():
        said = " ".join(run.stderr.split())[-500:] or "nothing"
        raise UserError(f"{browser} did not print {page}; it ended with {run.returncode} and said: {said}. {mend}")


def reproducible(printed: bytes) -> bytes:
    """The same PDF without the time, the browser's version and the folder; tags and outline stay.

    The same page printed by the same browser is then the same bytes.
    """
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it warns of a count in the trailer, which it then mends
    reader = PdfReader(BytesIO(printed))
    writer = PdfWriter(clone_from=reader)
    writer.pdf_header = reader.pdf_header
    title = str(writer.metadata.title if writer.metadata and writer.metadata.title else "")
    writer.metadata = {"/Title": title}
    writer.root_object[NameObject("/Lang")] = TextStringObject(LANGUAGE)
    for annotation in (of.get_object() for sheet in writer.pages for of in sheet.get("/Annots", ())):
        action = annotation.get("/A", {})
        # A link to the appendix, which lies beside the PDF wherever that is; the browser writes down the whole path.
        if str(action.get("/URI", "")).startswith("file:"):
            action[NameObject("/URI")] = TextStringObject(action["/URI"].rpartition("/")[2])
    # Any constant will do: it has to be the same for the same file.
    writer._ID = ArrayObject([ByteStringObject(b"\0" * 16)] * 2)
    content = BytesIO()
    writer.write(content)
    return reproducible_names(content.getvalue())


def reproducible_names(written: bytes) -> bytes:
    """The same file with its tags' names counted from one.

    The browser names a tag by the number of its node, which counts what else the browser has made by then.
    """
    order = {name: rank for rank, name in enumerate(sorted(set(NODE.findall(written))), 1)}
    # As long as before, so that every offset holds; in the same order, as the tree of names wants it.
    return NODE.sub(lambda name: b"(node%08d)" % order[name.group()], written)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(snakemake.params.browser, snakemake.input.page, snakemake.output[0])
