"""Gives what is shown of a device as a file."""

import tempfile
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response, StreamingResponse

from console.show.columns import columns_of_all
from console.show.tables import Format, Reader, render
from console.store.history import uplinks
from contract.errors import BridgeError


def csv(table: str, device: str, period: tuple[int, int]) -> Response:
    """Answer with the uplinks of a period as CSV, for a spreadsheet: it is what opens such files.

    Raises:
        BridgeError: AWS refuses or does not answer.

    """
    columns = columns_of_all(uplinks(table, device, *period))
    rows = uplinks(table, device, *period)
    lines = (f"{line}\n" for line in render(rows, Format.CSV, columns, Reader.SPREADSHEET))
    return StreamingResponse(
        lines, media_type="text/csv; charset=utf-8", headers=_named(device, "csv")
    )


def parquet(table: str, device: str, period: tuple[int, int]) -> Response:
    """Answer with the uplinks of a period as Parquet.

    Raises:
        BridgeError: AWS refuses or does not answer, a library is not installed, or what is stored
            cannot be written this way.

    """
    try:
        from console.show.parquet import write_parquet  # noqa: PLC0415  # not everybody has it
    except ModuleNotFoundError as error:
        raise BridgeError(f"{error.name} is not installed: pip install '.[plots]'") from None
    folder = tempfile.TemporaryDirectory(prefix="lora-web-")
    path = Path(folder.name) / "uplinks.parquet"
    try:
        columns = columns_of_all(uplinks(table, device, *period))
        write_parquet(uplinks(table, device, *period), columns, path)
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(
        path, headers=_named(device, "parquet"), background=BackgroundTask(folder.cleanup)
    )


def _named(device: str, ending: str) -> dict[str, str]:
    """Return the header that names the file: an EUI has no character that could end the name."""
    name = device.replace("/", "-")
    return {"Content-Disposition": f'attachment; filename="{name}.{ending}"'}
