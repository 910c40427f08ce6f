"""Operators of a clearinghouse: nobody may do all, and a refusal names who could."""

from itertools import product

import pytest

from calward.domain.errors import LicensingError, Problem
from calward.domain.operators import OPERATOR_MAY, ROLE_MEANINGS, Operator, OperatorRight, OperatorRole


@pytest.mark.parametrize(("role", "right"), list(product(OperatorRole, OperatorRight)))
def test_a_role_has_the_rights_of_the_table_and_no_others(role: OperatorRole, right: OperatorRight) -> None:
    operator = Operator("anna", role)
    if right in OPERATOR_MAY[role]:
        operator.require(right)
    else:
        with pytest.raises(LicensingError, match="it needs ") as caught:
            operator.require(right)
        assert caught.value.problem is Problem.FORBIDDEN
        assert any(other in caught.value.detail for other in OperatorRole if right in OPERATOR_MAY[other])


def test_every_role_has_a_meaning_and_none_may_do_all() -> None:
    assert set(ROLE_MEANINGS) == set(OPERATOR_MAY) == set(OperatorRole)
    assert all(rights < set(OperatorRight) for rights in OPERATOR_MAY.values())


def test_who_sells_does_not_confirm_keys() -> None:
    assert not OPERATOR_MAY[OperatorRole.SELLER] & OPERATOR_MAY[OperatorRole.SUPPORT] - {OperatorRight.READ}
