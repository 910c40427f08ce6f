"""DATA: the version ladders that Calward ships, one TOML file each.

Read by ``calward.adapters.ladders`` and by nothing else; what the keys mean stands in ``calward.domain.ladder.parse_ladder``.
"""
