"""The commands ``facesecure-train dataset upload`` and ``mirror``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facesecure.cli.prompts import Yes, confirm
from facesecure_training.cli.options import AsJson, print_json, resumable, say

if TYPE_CHECKING:
    from facesecure_training.datasets.mirror import MirrorOptions


@dataclass(frozen=True, kw_only=True)
class CopyOptions:
    """How files are copied."""

    threads: Annotated[int, typer.Option("--threads", min=1, max=200, help="Files copied at once.")] = 10
    retries: Annotated[
        int, typer.Option("--retries", min=0, help="Retries of a file, with a pause that doubles each time.")
    ] = 5
    checksum: Annotated[
        bool, typer.Option("--checksum", help="Compare existing files by content, not by size and time.")
    ] = False
    option: Annotated[
        list[str] | None, typer.Option("--option", help="KEY=VALUE for the target's driver; repeatable.")
    ] = None

    def mirroring(self, *, delete: bool = False) -> MirrorOptions:
        """Return the options for ``datasets.mirror``."""
        from facesecure_training.datasets.mirror import MirrorOptions

        return MirrorOptions(self.threads, self.retries, checksum=self.checksum, delete=delete)


@dataclass(frozen=True, kw_only=True)
class UploadOptions:
    """What ``dataset upload`` copies."""

    folder: Annotated[
        Path, typer.Argument(help="Folder to upload, with its sub-folders.", exists=True, file_okay=False)
    ]
    target: Annotated[str, typer.Argument(help="Destination: s3://bucket/folder, gdrive://folder, a path, ...")]


@dataclass(frozen=True, kw_only=True)
class JsonOutput:
    """Whether the result is printed as JSON."""

    as_json: AsJson = False


def upload(options: UploadOptions, copying: CopyOptions, output: JsonOutput) -> None:
    r"""Copy a data set to any target that fsspec can reach.

    Files that are there already are not copied again; hidden files are left out.

    \b
    Examples:
      facesecure-train dataset upload faces s3://my-bucket/faces                      (needs the extra s3)
      facesecure-train dataset upload faces gdrive://faces --option token=browser   (needs the extra gdrive)
    """
    _mirror(str(options.folder.absolute()), options.target, copying, copying.mirroring(), output)


@dataclass(frozen=True, kw_only=True)
class MirrorArguments:
    """The two sides of a mirror."""

    source: Annotated[str, typer.Argument(help="A folder, or any address that fsspec can reach.")]
    target: Annotated[str, typer.Argument(help="The destination, likewise.")]
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete files of the target that the source does not have; asks first.")
    ] = False
    yes: Yes = False


def mirror(options: MirrorArguments, copying: CopyOptions, output: JsonOutput) -> None:
    r"""Make a target hold the same files as a source, in either direction.

    \b
    Example:
      facesecure-train dataset mirror s3://my-bucket/faces faces --delete
    """
    how = copying.mirroring(delete=options.delete)
    _mirror(options.source, options.target, copying, how, output, agreed=options.yes)


def _mirror(
    source: str, target: str, copying: CopyOptions, how: MirrorOptions, output: JsonOutput, *, agreed: bool = False
) -> None:
    from facesecure_training.datasets import mirror as mirroring
    from facesecure_training.datasets.location import Location

    goal = Location.at(target, mirroring.options_of(copying.option or []))

    def ask(surplus: int) -> None:
        if surplus:
            files = "the file" if surplus == 1 else f"the {surplus} files"
            confirm(f"Delete {files} of {goal.shown} that the source does not have", agreed)

    with resumable():
        done = mirroring.mirror(Location.at(source), goal, how, ask)
    if output.as_json:
        print_json(asdict(done))
        return
    say(
        f"{goal.shown}: {done.copied} files copied ({done.size / 1e6:.1f} MB), {done.there} were there already, "
        f"{done.deleted} deleted"
    )
