"""Which lines make PAM ask us, and how do they come into a service's file and out again, exactly?"""

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from calward.domain.errors import LicensingError, Problem

__all__ = ["PamChange", "apply_change", "installed_in", "plan_install", "plan_undo"]

_BEGIN: Final = "# Calward: begin; calward agent install-pam --undo takes these lines out"
_END: Final = "# Calward: end"
_BACKUP: Final = ".before-calward"


@dataclass(frozen=True, slots=True)
class PamChange:
    """A change of one service's file that nothing has been done of yet."""

    path: Path
    before: str
    after: str

    @property
    def diff(self) -> str:
        """As people review it; empty where there is nothing to change."""
        lines = (self.before.splitlines(keepends=True), self.after.splitlines(keepends=True))
        return "".join(difflib.unified_diff(*lines, str(self.path), str(self.path)))

    def apply(self) -> None:
        """See ``apply_change``."""
        apply_change(self)


def plan_install(folder: Path, service: str, program: str, config: Path | None = None) -> PamChange:
    """Put the gate behind the last account line and the note behind the last session line; raises LicensingError.

    ``program``: the helper by its absolute path; ``config``: settings that are in another place.
    A refusal becomes "account expired",
    which xrdp 0.9 can show. What is installed already is replaced. A service without sessions gets the gate alone.
    """
    path = folder / _checked(service)
    before = _read(path)
    lines = _without(before.splitlines(keepends=True), path)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    settings = f" --config {config}" if config else ""
    gate = [
        f"account [success=1 default=ignore] pam_exec.so quiet stdout {program} account{settings}\n",
        "account requisite pam_debug.so acct=acct_expired\n",
    ]
    note = [f"session optional pam_exec.so quiet stdout {program} session{settings}\n"]
    for kind, ours in (("account", gate), ("session", note)):
        at = _after(lines, kind)
        if at is None:
            if kind == "account":
                raise LicensingError(Problem.CONFLICT, f"{path} has no {kind} stack: is it the right service")
            continue
        lines[at:at] = [f"{_BEGIN}\n", *ours, f"{_END}\n"]
    return PamChange(path, before, "".join(lines))


def plan_undo(folder: Path, service: str) -> PamChange:
    """Take our lines out and nothing else; byte for byte the file of before, where nobody has changed it since."""
    path = folder / _checked(service)
    before = _read(path)
    after = "".join(_without(before.splitlines(keepends=True), path))
    backup = _backup(path)
    kept = backup.read_text(encoding="utf-8") if backup.exists() else after
    return PamChange(path, before, kept if kept.rstrip("\n") == after.rstrip("\n") else after)


def apply_change(change: PamChange) -> None:
    """Replace the file whole, with the same owner and mode; the first time a copy of it is kept. Raises LicensingError."""
    path, backup = change.path, _backup(change.path)
    try:
        if path.read_text(encoding="utf-8") != change.before:
            raise LicensingError(Problem.CONFLICT, f"{path} has been changed meanwhile: look at the difference again")
        state = path.stat()
        if _BEGIN in change.before and _BEGIN not in change.after:
            backup.unlink(missing_ok=True)
        elif _BEGIN not in change.before:
            backup.write_text(change.before, encoding="utf-8")
            backup.chmod(state.st_mode & 0o777)
        draft = path.with_name(f".{path.name}.calward")
        draft.write_text(change.after, encoding="utf-8")
        draft.chmod(state.st_mode & 0o777)
        os.chown(draft, state.st_uid, state.st_gid)
        draft.replace(path)
    except OSError as error:
        raise LicensingError(Problem.FORBIDDEN, f"{path} cannot be changed: {error.strerror}") from None


def installed_in(folder: Path) -> list[str]:
    """Name the services that ask us."""
    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_file() and not path.name.endswith(_BACKUP):
            text = path.read_text(encoding="utf-8", errors="replace")
            active = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
            if any("pam_exec" in line and "calward" in line for line in active):
                found.append(path.name)
    return found


def _without(lines: list[str], path: Path) -> list[str]:
    kept, inside = [], False
    for line in lines:
        if line.rstrip("\n") == _BEGIN:
            inside = True
        elif line.rstrip("\n") == _END and inside:
            inside = False
        elif not inside:
            kept.append(line)
    if inside:
        raise LicensingError(
            Problem.CONFLICT, f"{path} has the first of our lines and not the last: correct it by hand"
        )
    return kept


def _after(lines: list[str], kind: str) -> int | None:
    """The place behind the last line of a stack, its own or included; None where the service has no such stack."""
    places = [at for at, line in enumerate(lines) if _stack(line) in (kind, f"-{kind}", f"common-{kind}", "")]
    return places[-1] + 1 if places else None


def _stack(line: str) -> str | None:
    """The stack of a line; "" for an include of whole files, None for comments."""
    match line.split():
        case ["@include", name, *_]:
            return name
        case [("account" | "-account" | "session" | "-session") as stack, *_]:
            return stack
        case _:
            return None


def _checked(service: str) -> str:
    if not service or "/" in service or service.startswith("."):
        raise LicensingError(Problem.MALFORMED, f"{service!a} is no name of a PAM service", field="service")
    return service


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise LicensingError(Problem.NOT_FOUND, f"there is no PAM service {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise LicensingError(Problem.UNAVAILABLE, f"{path} cannot be read: {error}") from None


def _backup(path: Path) -> Path:
    return path.with_name(path.name + _BACKUP)
