"""Which role may do what, written out by hand?"""

import pytest

from calward.domain.errors import LicensingError, Problem
from calward.domain.roles import ALLOWED, MEANINGS, Permission, Principal, Role

EXPECTED = {
    "viewer": "read",
    "operator": "read manage-hosts",
    "auditor": "read read-tokens audit",
    "license-administrator": "read manage-hosts manage-packs manage-licenses manage-server read-tokens manage-tokens audit",
}


@pytest.mark.parametrize("role", Role)
def test_a_role_allows_exactly_what_is_written_here(role):
    assert {x.value for x in ALLOWED[role]} == set(EXPECTED[role.value].split())


@pytest.mark.parametrize("role", Role)
def test_each_role_is_explained_in_a_line(role):
    assert 20 < len(MEANINGS[role]) < 150


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("role", Role)
def test_what_is_not_in_the_table_is_denied(role, permission):
    principal = Principal("token:test", role)
    if permission in ALLOWED[role]:
        principal.require(permission)
        return
    with pytest.raises(LicensingError, match=f"the role {role} does not include {permission}: it needs") as caught:
        principal.require(permission)
    assert caught.value.problem is Problem.FORBIDDEN


def test_a_role_is_read_as_people_write_it():
    assert Role.parse(" License-Administrator ") is Role.LICENSE_ADMINISTRATOR


def test_an_unknown_role_names_all_there_are():
    with pytest.raises(LicensingError, match="viewer, operator, license-administrator, auditor"):
        Role.parse("root")
