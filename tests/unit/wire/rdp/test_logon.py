"""The Client Info of a client without an account: as long as it says, and empty in every text."""

from calward.wire.rdp.logon import nameless_client_info
from calward.wire.rdp.security import SecurityFlag, SecurityHeader
from calward.wire.reader import Reader

UNICODE = 0x10


def test_it_is_a_client_info_with_nothing_in_it():
    header, data = SecurityHeader.split(nameless_client_info())
    assert (header.flags, header.mac) == (SecurityFlag.INFO_PKT, None)
    reader = Reader(data, "TS_INFO_PACKET")
    assert reader.u32("CodePage") == 0
    assert reader.u32("flags") & UNICODE
    sizes = [reader.u16("size") for _ in range(5)]
    # These five lengths leave out the terminator, which is there all the same ([MS-RDPBCGR] 2.2.1.11.1.1).
    assert sizes == [0] * 5
    assert reader.take(10, "five texts") == bytes(10)
    assert reader.u16("clientAddressFamily") == 2
    for _ in range(2):  # These two lengths count it.
        assert reader.take(reader.u16("size"), "text") == b"\0\0"
    reader.take(172, "clientTimeZone")
    assert (reader.u32("clientSessionId"), reader.u32("performanceFlags")) == (0, 0)
    assert [reader.u16("field") for _ in range(5)] == [0] * 5
    reader.end()
