"""What does the administration API take? Anything not named here is refused."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from calward.domain.cals import CalType
from calward.domain.roles import Role

__all__ = ["Change", "Checkpoint", "CodeBody", "Explain", "NewHost", "NewPolicy", "NewToken", "Strict", "WhichHolder"]

_Name = Annotated[str, Field(min_length=1, max_length=300)]
"""The use case says more exactly what a name is, and by a sentence."""


class Strict(BaseModel):
    """A body without anything unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NewHost(Strict):
    """A session host to enroll."""

    name: _Name
    version: _Name
    mode: CalType
    group: _Name | None = None


class Change(Strict):
    """New values of a host; what is absent stays, an empty group is none."""

    version: _Name | None = None
    mode: CalType | None = None
    group: Annotated[str, Field(max_length=300)] | None = None


class NewPolicy(Strict):
    """What holds for a group of hosts."""

    mode: CalType | None = None
    servers: Annotated[list[_Name], Field(max_length=16)] = []


class NewToken(Strict):
    """An administrator's token to make; ``days`` is its life."""

    name: _Name
    role: Role
    days: Annotated[int, Field(ge=1, le=3650, strict=True)] = 90


class CodeBody(Strict):
    """A one-time code."""

    code: _Name


class DeviceBody(Strict):
    """A device as hosts name it."""

    hardware_id: _Name
    name: _Name | None = None


class WhichHolder(Strict):
    """Either a user or a device (its hardware id, or what it is called)."""

    user: _Name | None = None
    device: _Name | DeviceBody | None = None


class Explain(WhichHolder):
    """What would this client get at this host?"""

    host: _Name


class Checkpoint(Strict):
    """A checkpoint that was kept elsewhere."""

    checkpoint: Annotated[str, Field(max_length=4096)] | None = None
