"""Do the checks that need no list of licenses find with counts alone what they find with the list?"""

from dataclasses import replace

from hypothesis import given

from calward.insight.diagnoser import COUNTED, diagnose, diagnose_counts
from calward.insight.diagnoser.view import View
from calward.insight.estate import EstatePack, LicenseStatus, Source
from tests.unit.insight.diagnoser.test_checks_properties import ESTATES


def counted(estate):
    """An estate as ``take_counts`` makes it: no list, over-use as pools without CALs."""
    over = [
        EstatePack(f"over {number}", server, version, type_, "built-in over-used", 0, 0, over_used=1)
        for number, (server, type_, version) in enumerate(
            (one.server, one.type, one.version)
            for one in estate.licenses
            if one.status is LicenseStatus.OVER_USED and View(estate).runs(one)
        )
    ]
    packs = [*(replace(one, over_used=0) for one in estate.packs), *over]
    return replace(estate, licenses=(), failures=(), packs=packs)


@given(ESTATES)
def test_findings_are_the_same_with_counts_alone(estate):
    own = replace(estate, source=Source.CALWARD, packs=[replace(one, over_used=0) for one in estate.packs])
    ids = {one.id for one in COUNTED}
    whole = {(one.key, one.severity) for one in diagnose(own).findings if one.id in ids}
    assert {(one.key, one.severity) for one in diagnose_counts(counted(own)).findings} == whole
