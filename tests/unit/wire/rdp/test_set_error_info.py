"""Is the reason that a client shows written as the specification says?"""

import pytest

from calward.wire.errors import LocalProtocolError
from calward.wire.rdp.set_error_info import set_error_info


def test_each_field_stands_where_clients_look_for_it():
    written = bytes.fromhex(
        "1600 1700 ea03"  # totalLength, pduType (data, version 1), pduSource 1002
        "00000000 00 01"  # shareId: there is none yet; pad1, streamId low
        "0800 2f 00 0000"  # uncompressedLength, pduType2 SET_ERROR_INFO, not compressed
        "02010000"  # ERRINFO_LICENSE_NO_LICENSE
    )
    assert set_error_info(0x102) == written


def test_a_reason_of_more_than_thirty_two_bits_is_our_own_mistake():
    with pytest.raises(LocalProtocolError, match="errorInfo"):
        set_error_info(1 << 32)
