"""What does a row mean? One function a kind of row, in a table."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from calward.adapters.exports.host_rows import read_host, read_server
from calward.adapters.exports.license_rows import read_device_entry, read_license, read_user_entry
from calward.adapters.exports.pack_rows import read_pack
from calward.adapters.exports.reader import Cells, Reader
from calward.adapters.exports.report_rows import read_failed_sum, read_failure, read_summary
from calward.adapters.exports.wmi import Kind

__all__ = ["READERS"]

READERS: Final[Mapping[Kind, Callable[[Reader, int, Cells], None]]] = MappingProxyType(
    {
        Kind.PACKS: read_pack,
        Kind.ISSUED: read_license,
        Kind.USER_REPORT: read_user_entry,
        Kind.DEVICE_REPORT: read_device_entry,
        Kind.SUMMARY: read_summary,
        Kind.FAILED: read_failure,
        Kind.FAILED_SUMMARY: read_failed_sum,
        Kind.SERVER: read_server,
        Kind.HOSTS: read_host,
    }
)
"""Each takes the reader of its file, the row's line and its cells."""
