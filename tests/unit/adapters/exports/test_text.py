"""Is a file looked at before anything parses it: size, encoding, text at all?"""

import pytest

from calward.adapters.exports import text as module
from calward.adapters.exports.text import inspect_file
from calward.domain.errors import LicensingError, Problem


def a_file(folder, content: bytes):
    path = folder / "x.csv"
    path.write_bytes(content)
    return path


def lines(folder, content: bytes):
    return list(inspect_file(a_file(folder, content)).lines())


WORD = "Größe,€\r\nÄ,2\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_every_encoding_gives_the_same_lines(tmp_path, encoding):
    word = WORD + "A long plain line, as exports have them,1\r\n" * 3
    assert lines(tmp_path, word.encode(encoding)) == word.splitlines(keepends=True)


def test_big_endian_with_its_mark(tmp_path):
    assert lines(tmp_path, b"\xfe\xff" + WORD.encode("utf-16-be")) == WORD.splitlines(keepends=True)


def test_all_line_ends_in_one_file(tmp_path):
    assert [line.strip() for line in lines(tmp_path, b"a\rb\nc\r\nd\r\r\ne")] == ["a", "b", "c", "d", "", "e"]


def test_a_character_cut_off_at_the_end_does_not_change_all_others(tmp_path):
    found = inspect_file(a_file(tmp_path, "Größe\nÄ".encode()[:-1]))
    assert (found.encoding, found.flaws) == ("utf-8", ((0, "it ends within a character"),))
    assert next(found.lines()) == "Größe\n"


@pytest.mark.parametrize(
    "content", [b"\xff\xfea\x00b\x00\x00\xd8", "a,b\r\n".encode("utf-16") + b"x", b"a,b\n\xfc\x81\n"]
)
def test_bytes_that_do_not_fit_are_told(tmp_path, content):
    found = inspect_file(a_file(tmp_path, content))
    assert found.flaws
    assert "\ufffd" in "".join(found.lines())


@pytest.mark.parametrize("content", [b"", b"\r\n\r\n", b"\xef\xbb\xbf", b"\xff\xfe", b"   "])
def test_an_empty_file_is_refused(tmp_path, content):
    with pytest.raises(LicensingError, match="is empty") as error:
        inspect_file(a_file(tmp_path, content))
    assert error.value.problem is Problem.MALFORMED


def test_what_does_not_fit_is_told_with_its_line(tmp_path):
    found = inspect_file(a_file(tmp_path, b"a,b\n\xfc,1\n\x81,2\n"))
    assert [line for line, _ in found.flaws] == [3]
    found = inspect_file(a_file(tmp_path, b"\xff\xfe" + "a\nb\nc".encode("utf-16-le") + b"\x00\xd8d\x00"))
    assert [line for line, _ in found.flaws] == [3]


def test_one_broken_byte_does_not_change_every_other_letter(tmp_path):
    found = inspect_file(a_file(tmp_path, "Größe,Müller\n".encode() + b"x\xe9\n"))
    assert (found.encoding, [line for line, _ in found.flaws]) == ("utf-8", [2])
    assert next(found.lines()) == "Größe,Müller\n"


@pytest.mark.parametrize("place", [3, 5000])
def test_zeros_between_letters_are_left_out_and_told(tmp_path, place):
    found = inspect_file(a_file(tmp_path, b"a\n" + b"b" * place + b"\x00c\n" + b"d" * 100))
    assert [line for line, _ in found.flaws] == [2]
    assert "".join(found.lines()).split("\n")[1] == "b" * place + "c"


def test_a_binary_file_is_refused(tmp_path):
    with pytest.raises(LicensingError, match="no text but a binary file"):
        inspect_file(a_file(tmp_path, b"PK\x03\x04" + bytes(range(256))))


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(LicensingError) as error:
        inspect_file(tmp_path / "nothing")
    assert error.value.problem is Problem.NOT_FOUND
    with pytest.raises(LicensingError):
        inspect_file(tmp_path)
    with pytest.raises(LicensingError, match="no regular file"):
        inspect_file(module.Path("/dev/null"))


def test_a_file_that_is_too_large_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 10)
    with pytest.raises(LicensingError, match="more than 10 are not read"):
        inspect_file(a_file(tmp_path, b"x" * 11))


def test_an_endless_line_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LONGEST_LINE", 100)
    with pytest.raises(LicensingError, match=r"line 2 of 'x\.csv' is longer"):
        lines(tmp_path, b"a\n" + b"x" * 101)
    assert lines(tmp_path, b"y" * 99 + b"\n") == ["y" * 99 + "\n"]
